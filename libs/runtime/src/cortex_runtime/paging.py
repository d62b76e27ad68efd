"""Pages of a list (AIP-158): how large, and where to go on.

A page token is opaque to callers: a hash of the query it belongs to, and the place after the last row. It is bound to
the query, so that it cannot be used with other filters; it carries no rights, since every query is bound to its caller.
Places hold ids and times, never personal data: tokens end up in other people's logs.
"""

import base64
import binascii
import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cortex_eventing.errors import InvalidInput
from google.protobuf.message import Message

DEFAULT_PAGE_SIZE = 50  # a screenful; what the contracts promise for 0
LARGEST_PAGE_SIZE = 1000  # bounds the memory of one answer; what the contracts promise for more

_BOUND_BYTES = 8  # enough to notice a mix-up; nothing is protected by it
_UNBOUND_FIELDS = ("page_size", "page_token", "min_position")  # these may differ from page to page
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SMALLEST_INT, _LARGEST_INT = -(2**63), 2**63 - 1  # what a bigint column can be compared with

Place = int | str | uuid.UUID | datetime


@dataclass(frozen=True)
class PageRequest:
    """Which page is asked for.

    Attributes:
        size: at most this many rows. Read one more to know whether there is a next page.
        after: the place of the last row of the page before, as the sort columns' values; None for the first page.
    """

    size: int
    after: tuple[Place, ...] | None


def page_of(request: Message, *place: type[Place]) -> PageRequest:
    """The page that a list request asks for.

    Args:
        request: a message with `page_size` and `page_token`.
        place: the types of the sort columns' values, in order.

    Raises:
        InvalidInput: the token is not one of this query's; names `page_token`.
    """
    token: str = request.page_token  # type: ignore[attr-defined]
    return PageRequest(size=_size_of(request), after=_read(token, request, place) if token else None)


def next_page_token(request: Message, *place: Place) -> str:
    """The token of the page after the row at `place`, for this request's query."""
    values = [_plain(value) for value in place]
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(_bound_to(request) + text.encode()).decode().rstrip("=")


def _size_of(request: Message) -> int:
    size: int = request.page_size  # type: ignore[attr-defined]
    return min(size or DEFAULT_PAGE_SIZE, LARGEST_PAGE_SIZE)


def _read(token: str, request: Message, types: Sequence[type[Place]]) -> tuple[Place, ...]:
    bound, values = _unpacked(token)
    if bound != _bound_to(request):
        raise InvalidInput("page_token belongs to another query", reason="PAGE_TOKEN_MISMATCH", field="page_token")
    if not isinstance(values, list) or len(values) != len(types):
        raise _no_token()
    try:
        return tuple(_typed(value, expected) for value, expected in zip(values, types, strict=True))
    except (ValueError, OverflowError) as error:
        raise _no_token() from error


def _unpacked(token: str) -> tuple[bytes, object]:
    try:
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        return packed[:_BOUND_BYTES], json.loads(packed[_BOUND_BYTES:].decode())
    except (binascii.Error, ValueError, RecursionError) as error:
        raise _no_token() from error


def _no_token() -> InvalidInput:
    return InvalidInput("page_token is not one of ours", reason="PAGE_TOKEN_INVALID", field="page_token")


def _bound_to(request: Message) -> bytes:
    query = type(request)()
    query.CopyFrom(request)
    for name in _UNBOUND_FIELDS:
        if name in request.DESCRIPTOR.fields_by_name:
            query.ClearField(name)
    named = request.DESCRIPTOR.full_name.encode() + b"\0" + query.SerializeToString(deterministic=True)
    return hashlib.sha256(named).digest()[:_BOUND_BYTES]


def _plain(value: Place) -> int | str:
    if isinstance(value, datetime):
        return (value - _EPOCH) // timedelta(microseconds=1)
    return str(value) if isinstance(value, uuid.UUID) else value


def _typed(value: object, expected: type[Place]) -> Place:
    if isinstance(value, int) and not isinstance(value, bool) and _SMALLEST_INT <= value <= _LARGEST_INT:
        if expected is datetime:
            return _EPOCH + timedelta(microseconds=value)
        if expected is int:
            return value
    if isinstance(value, str) and "\0" not in value:
        if expected is uuid.UUID:
            return uuid.UUID(value)
        if expected is str:
            return value
    raise ValueError("not of the expected type")
