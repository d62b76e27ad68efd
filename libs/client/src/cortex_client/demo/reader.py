"""A reader of the session: watches its messages and notes when each arrived."""

import asyncio
import time
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cortex.session.v1.resources_pb2 import MESSAGE_TYPE_USER, Message
from cortex.session.v1.session_service_pb2 import Interim, WatchMessagesResponse

from cortex_client.client import CortexClient
from cortex_client.demo.measure import Heard
from cortex_client.demo.view import View

# Given to words that were charged to somebody whom the script does not know, so that they count as wrong.
NOBODY = "nobody"


@dataclass(frozen=True)
class _Arrival:
    message: Message
    at: float


class Reader:
    """Watches one session.

    Attributes:
        over: set when the watch says that the session is over.
        read: the ids of all messages that came.
    """

    def __init__(self, participants: Mapping[str, str], view: View) -> None:
        self._participants = participants
        self._view = view
        self._arrivals: list[_Arrival] = []
        self._utterances: set[str] = set()
        self._said_until: dict[str, timedelta] = {}
        self._news = asyncio.Event()
        self.over = asyncio.Event()
        self.read: set[str] = set()

    async def watch(self, cortex: CortexClient, session_id: str) -> None:
        """Watch until the session is over."""
        async for change in cortex.watch_messages(session_id, include_interim=True):
            self._take(change)

    async def until_read(self, utterances: AbstractSet[str]) -> None:
        """Wait until each of these utterances is a message that came."""
        while not utterances <= self._utterances:
            self._news.clear()
            await self._news.wait()

    def heard_since(self, began_at: datetime) -> list[Heard]:
        """What was said, in seconds since the meeting's beginning."""
        return [self._heard(arrival, began_at) for arrival in self._arrivals]

    def _take(self, change: WatchMessagesResponse) -> None:
        now = time.monotonic()
        match change.WhichOneof("change"):
            case "message":
                self._take_message(change.message, now)
            case "interim":
                self._take_interim(change.interim)
            case "session_over":
                self.over.set()

    def _take_message(self, message: Message, now: float) -> None:
        self.read.add(message.id)
        if message.type == MESSAGE_TYPE_USER:
            self._arrivals.append(_Arrival(message, now))
            self._utterances.add(message.utterance_id)
            self._said_until[message.participant_id] = message.end_offset.ToTimedelta()
            self._view.said(self._user(message.participant_id), message.content)
            self._news.set()
        else:
            self._view.noted(message.content)

    def _take_interim(self, interim: Interim) -> None:
        """Interims come by another way than messages: one that is late belongs to something already said."""
        said_until = self._said_until.get(interim.participant_id, timedelta())
        if interim.start_offset.ToTimedelta() >= said_until:
            self._view.saying(self._user(interim.participant_id), interim.text, interim.stable_length)

    def _user(self, participant_id: str) -> str:
        return self._participants.get(participant_id, NOBODY)

    def _heard(self, arrival: _Arrival, began_at: datetime) -> Heard:
        message = arrival.message
        starts = message.timestamp.ToDatetime(tzinfo=UTC) - began_at
        length: timedelta = message.end_offset.ToTimedelta() - message.start_offset.ToTimedelta()
        return Heard(
            user_id=self._user(message.participant_id),
            text=message.content,
            starts=starts.total_seconds(),
            ends=(starts + length).total_seconds(),
            arrived=arrival.at,
        )
