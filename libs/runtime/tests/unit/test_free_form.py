"""Free-form data is bounded: size, depth, and only what JSON can say."""

import pytest
from cortex_eventing.errors import InvalidInput
from cortex_runtime.free_form import DEEPEST_USER_DATA, LARGEST_USER_DATA, require_user_data
from google.protobuf.struct_pb2 import Struct

pytestmark = pytest.mark.unit


def nested(levels: int) -> Struct:
    value: object = 1
    for _ in range(levels - 1):
        value = {"in": value}
    data = Struct()
    data.update({"in": value})
    return data


def with_list(levels: int) -> Struct:
    value: object = 1
    for _ in range(levels - 1):
        value = [value]
    data = Struct()
    data.update({"in": value})
    return data


def unset() -> Struct:
    data = Struct()
    data.fields["a"]
    return data


def numbers(value: float) -> Struct:
    data = Struct()
    data.update({"a": [{"b": value}]})
    return data


def text(length: int) -> Struct:
    data = Struct()
    data.update({"a": "x" * length})
    return data


@pytest.mark.parametrize("data", [Struct(), nested(DEEPEST_USER_DATA), with_list(DEEPEST_USER_DATA), numbers(1.5)])
def test_ordinary_data_passes(data: Struct) -> None:
    """Whatever stays within the limits is taken as it is."""
    require_user_data(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (text(LARGEST_USER_DATA), "TOO_LARGE"),
        (nested(DEEPEST_USER_DATA + 1), "TOO_DEEP"),
        (with_list(DEEPEST_USER_DATA + 1), "TOO_DEEP"),
        (numbers(float("nan")), "NOT_FINITE"),
        (numbers(float("-inf")), "NOT_FINITE"),
        (unset(), "VALUE_MISSING"),
    ],
)
def test_what_no_reader_could_hold_is_refused(data: Struct, reason: str) -> None:
    """The field and the rule are named."""
    with pytest.raises(InvalidInput) as refused:
        require_user_data(data, "profile.user_data")
    assert (refused.value.reason, refused.value.field) == (reason, "profile.user_data")
