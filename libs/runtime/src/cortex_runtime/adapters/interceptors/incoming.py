"""What clients send, before it is known to be right: bytes that are no message, and streams without a beginning."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from cortex_eventing.errors import InvalidInput
from google.protobuf.message import DecodeError, Message

from cortex_runtime.validation import require_valid

FIRST_MESSAGE_WITHIN = 10.0  # seconds: an opened stream that says nothing is nobody's

Parse = Callable[[bytes], Message]


class MalformedRequest(InvalidInput):
    """What was sent is no message of this method: corrupt, or text that is not UTF-8."""

    reason = "MALFORMED"

    def __init__(self) -> None:
        super().__init__("the request is no message of this method")


class RequestTooLarge(InvalidInput):
    """The server takes such large messages, but not for this method."""

    reason = "REQUEST_TOO_LARGE"

    def __init__(self, largest: int) -> None:
        super().__init__(f"a request of this method must be at most {largest} bytes")


def lenient(parse: Parse, largest: int) -> Callable[[bytes], Message | InvalidInput]:
    """A parser that answers with the error instead of raising it: gRPC makes an exception there UNKNOWN."""
    strictly = strict(parse, largest)

    def parsed(data: bytes) -> Message | InvalidInput:
        try:
            return strictly(data)
        except InvalidInput as error:
            return error

    return parsed


def strict(parse: Parse, largest: int) -> Parse:
    """A parser that raises InvalidInput; on streams it surfaces where the handler reads."""

    def parsed(data: bytes) -> Message:
        if len(data) > largest:
            raise RequestTooLarge(largest)
        try:
            return parse(data)
        except DecodeError:
            raise MalformedRequest from None

    return parsed


async def first_of(messages: AsyncIterator[Message]) -> Message:
    """A stream's first message.

    Raises:
        InvalidInput: the stream ended without one.
        TimeoutError: none came in time.
    """
    async with asyncio.timeout(FIRST_MESSAGE_WITHIN):
        async for message in messages:
            return message
    raise InvalidInput("the stream ended without a first message", reason="OPEN_MISSING", field="open")


class Resumed:
    """A stream whose first message was already taken: that one, and then the rest without a layer in between."""

    def __init__(self, first: Message, rest: AsyncIterator[Message]) -> None:
        self._first: Message | None = first
        self._rest = rest

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    def __anext__(self) -> Awaitable[Message]:
        if self._first is None:
            return self._rest.__anext__()
        first, self._first = self._first, None
        return _ready(first)


async def each_valid(messages: AsyncIterator[Message]) -> AsyncIterator[Any]:
    """The messages, each checked; raises InvalidInput at the first that is wrong."""
    async for message in messages:
        require_valid(message)
        yield message


async def _ready(message: Message) -> Message:
    return message
