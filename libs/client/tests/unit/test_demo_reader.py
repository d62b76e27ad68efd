"""What the demo's reader makes of a watch."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from cortex.session.v1 import session_service_pb2 as pb
from cortex.session.v1.resources_pb2 import MESSAGE_TYPE_SYSTEM, MESSAGE_TYPE_USER, Message
from cortex_client.client import CortexClient
from cortex_client.demo.plain import PlainView
from cortex_client.demo.reader import NOBODY, Reader
from cortex_client.demo.view import Programme

pytestmark = pytest.mark.unit

BEGAN_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Shown(PlainView):
    def __init__(self) -> None:
        super().__init__(Programme("", {}, 0, 1))
        self.shown: list[str] = []

    def _line(self, text: str) -> None:
        self.shown.append(text)


class Watched:
    def __init__(self, *changes: pb.WatchMessagesResponse) -> None:
        self._changes = changes

    async def watch_messages(self, *_: object, **__: object) -> AsyncIterator[pb.WatchMessagesResponse]:
        for change in self._changes:
            yield change


def message(utterance: str, participant: str = "a", ends_s: int = 3) -> pb.WatchMessagesResponse:
    said = Message(
        id=f"message of {utterance}",
        type=MESSAGE_TYPE_USER,
        participant_id=participant,
        content=utterance,
        utterance_id=utterance,
    )
    said.timestamp.FromDatetime(BEGAN_AT + timedelta(seconds=1))
    said.start_offset.FromTimedelta(timedelta(seconds=11))
    said.end_offset.FromTimedelta(timedelta(seconds=10 + ends_s))
    return pb.WatchMessagesResponse(message=said)


def interim(text: str, starts_s: int) -> pb.WatchMessagesResponse:
    saying = pb.Interim(participant_id="a", text=text)
    saying.start_offset.FromTimedelta(timedelta(seconds=starts_s))
    return pb.WatchMessagesResponse(interim=saying)


async def read(*changes: pb.WatchMessagesResponse) -> tuple[Reader, list[str]]:
    view = Shown()
    reader = Reader({"a": "ada"}, view)
    await reader.watch(cast("CortexClient", Watched(*changes)), "session")
    return reader, view.shown


async def test_times_are_those_of_the_meeting() -> None:
    """A message's time stamp counts from the meeting's beginning, whenever the session was created."""
    reader, _ = await read(message("hello"))
    [heard] = reader.heard_since(BEGAN_AT)
    assert (heard.user_id, heard.starts, heard.ends) == ("ada", 1.0, 3.0)


async def test_an_interim_that_comes_late_is_not_shown() -> None:
    """Nobody says again what has become a message."""
    _, shown = await read(message("hello"), interim("hel", starts_s=11), interim("next", starts_s=13))
    assert shown == ["ada: hello", "ada … next"]


async def test_notes_of_the_system_are_no_speech() -> None:
    """Joining and leaving are shown, and not measured."""
    note = pb.WatchMessagesResponse(message=Message(id="1", type=MESSAGE_TYPE_SYSTEM, content="Ada joined"))
    reader, shown = await read(note)
    assert (shown, reader.heard_since(BEGAN_AT), reader.read) == (["[Ada joined]"], [], {"1"})


async def test_words_of_a_stranger_are_kept_as_nobodys() -> None:
    """A participant who is not in the script has said nothing that the script knows."""
    reader, _ = await read(message("hello", participant="z"))
    assert [heard.user_id for heard in reader.heard_since(BEGAN_AT)] == [NOBODY]


async def test_it_knows_when_every_utterance_has_become_a_message() -> None:
    """The end of the demo waits for what the transcriber has stored, and for nothing else."""
    reader, _ = await read(message("hello"), pb.WatchMessagesResponse(session_over=pb.SessionOver()))
    await reader.until_read({"hello"})
    assert reader.over.is_set()
