"""Pages: how large, where to go on, and for which query only."""

import base64
import uuid
from datetime import UTC, datetime

import pytest
from cortex.identity.v1.identity_service_pb2 import ListParticipantsRequest
from cortex.session.v1.session_service_pb2 import ListSessionsRequest
from cortex_eventing.errors import InvalidInput
from cortex_runtime.paging import next_page_token, page_of
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.unit

PROJECT = "01980a8f-0000-7000-8000-000000000001"
ROW = (datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC), uuid.UUID(PROJECT), 42, "ö")
TYPES = (datetime, uuid.UUID, int, str)


def request(**fields: object) -> ListParticipantsRequest:
    return ListParticipantsRequest(project_id=PROJECT, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(("asked", "size"), [(0, 50), (1, 1), (1000, 1000), (1001, 1000)])
def test_sizes_are_bounded(asked: int, size: int) -> None:
    """Nothing asked means the default, too much means the most, as AIP-158 wants."""
    assert page_of(request(page_size=asked)).size == size


def test_a_token_leads_to_its_place() -> None:
    """The last row's values come back in their own types, with pages of any size."""
    token = next_page_token(request(page_size=10), *ROW)
    page = page_of(request(page_token=token, page_size=20, min_position=7), *TYPES)
    assert page.after == ROW
    assert page_of(request(), *TYPES).after is None


def test_a_token_is_bound_to_its_query() -> None:
    """With other filters, or at another list, it is refused."""
    token = next_page_token(request(), *ROW)
    for other in (
        request(page_token=token, external_user_ids=["a"]),
        ListSessionsRequest(project_id=PROJECT, page_token=token),
        ListParticipantsRequest(project_id=str(uuid.UUID(int=1)), page_token=token),
    ):
        with pytest.raises(InvalidInput) as refused:
            page_of(other, *TYPES)
        assert (refused.value.field, refused.value.reason) == ("page_token", "PAGE_TOKEN_MISMATCH")


@pytest.mark.parametrize(
    "inner",
    [b"", b"7", b"[1,2", b'["x"]', b"[true]", b"[9223372036854775808]", b"[null]", b"[1,2]", b"\xff", b"[" * 5000],
)
def test_a_forged_place_is_refused(inner: bytes) -> None:
    """Even with the right query's hash in front, nothing but a value of the column's type passes."""
    bound = base64.urlsafe_b64decode(next_page_token(request(), 1) + "==")[:8]
    with pytest.raises(InvalidInput) as refused:
        page_of(request(page_token=base64.urlsafe_b64encode(bound + inner).decode()), int)
    assert refused.value.field == "page_token"


@given(st.text(max_size=40))
def test_any_text_is_a_token_or_refused(text: str) -> None:
    """Garbage names its field and raises nothing else."""
    if text:
        with pytest.raises(InvalidInput):
            page_of(request(page_token=text), *TYPES)


@given(st.datetimes(timezones=st.just(UTC)), st.uuids(), st.integers(-(2**63), 2**63 - 1))
def test_every_place_comes_back(at: datetime, identity: uuid.UUID, number: int) -> None:
    """No value is rounded on the way."""
    token = next_page_token(request(), at, identity, number)
    assert page_of(request(page_token=token), datetime, uuid.UUID, int).after == (at, identity, number)
