"""Station 5: a service's own stream on JetStream, as its relay sees it: made, looked at, published to."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from nats.js.api import DiscardPolicy, RawStreamMsg, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import BadRequestError, NotFoundError, ServerError

from cortex_eventing.adapters.nats.connection import Nats, away_as_stream_away
from cortex_eventing.adapters.nats.headers import EVENT_ID, POSITION
from cortex_eventing.adapters.nats.messages import Envelopes
from cortex_eventing.adapters.nats.publisher import FencedPublisher, fenced_publisher
from cortex_eventing.adapters.nats.stream_config import beyond_mending, mending
from cortex_eventing.ports import StreamEnd
from cortex_eventing.stream_ports import StreamMissing

log = logging.getLogger(__name__)

MAX_BYTES = 1024**3
"""Bytes of a stream before its oldest messages go: readers that are that far behind use the feed. The server sets them
aside for the stream, and an embedded one has four times as much in all."""

NOBODYS = -1
"""The position of a message that somebody else published: no event of any store has it."""


@dataclass(frozen=True)
class StreamSettings:
    """How a service's stream is made.

    Attributes:
        name: of the stream, for example `SESSION`.
        subjects: one filter per entity that the service owns.
        max_bytes: how large it may grow.
        replicas: copies in the broker's cluster.
        manage: whether this process may make it and bring it up to date; otherwise an operator does.
    """

    name: str
    subjects: Sequence[str]
    max_bytes: int = MAX_BYTES
    replicas: int = 1
    manage: bool = True


class NatsStream:
    """A service's own stream: the adapter of `OwnStream`.

    Args:
        nats: the connection.
        settings: how the stream is made.
        envelopes: how events become messages.
    """

    def __init__(self, nats: Nats, settings: StreamSettings, envelopes: Envelopes) -> None:
        self._nats = nats
        self._settings = settings
        self._envelopes = envelopes
        self._complaints: set[str] = set()

    @property
    def name(self) -> str:
        """See `OwnStream`."""
        return self._settings.name

    async def create(self) -> None:
        """See `OwnStream`."""
        info = await self._info()
        if info is None and not self._settings.manage:
            raise StreamMissing(self.name)
        with away_as_stream_away():
            if info is None:
                await self._nats.jetstream.add_stream(self._config())
            else:
                await self._bring_up_to_date(info.config)

    async def _bring_up_to_date(self, existing: StreamConfig) -> None:
        """Give a stream that is there the subjects that it lacks, and the settings of today where the server can."""
        if self._settings.manage and set(self._settings.subjects) - set(existing.subjects or ()):
            subjects = sorted({*self._settings.subjects, *(existing.subjects or ())})
            existing = (await self._nats.jetstream.update_stream(existing.evolve(subjects=subjects))).config
        wanted = self._config()
        wrong, changes = beyond_mending(existing, wanted), mending(existing, wanted)
        if self._settings.manage:
            await self._mend(existing, changes)
        elif changes:
            self._complain(f"whoever manages it should set {', '.join(changes)}")
        if wrong:
            self._complain(f"only a new stream can have another {', '.join(wrong)}: refill-stream makes one")

    async def _mend(self, existing: StreamConfig, changes: Mapping[str, Any]) -> None:
        """Change one after the other: the stream goes on without those that the server refuses."""
        for name, value in changes.items():
            try:
                existing = (await self._nats.jetstream.update_stream(existing.evolve(**{name: value}))).config
            except (BadRequestError, ServerError) as refusal:
                self._complain(f"the server refuses to change {name}: {refusal.description}")

    def _complain(self, what: str) -> None:
        """Say what is wrong with the stream, once until it is something else: this is looked at again and again."""
        if what not in self._complaints:
            self._complaints.add(what)
            log.error("stream %s is not as it should be: %s", self.name, what)

    def _config(self) -> StreamConfig:
        """The settings, each for its reason.

        No `max_age`: the last message is the relay's memory and must survive. Deletes and purges are allowed, because
        erasure needs them. No duplicate window is named, because no message has a `Nats-Msg-Id`.
        """
        return StreamConfig(
            name=self.name,
            subjects=list(self._settings.subjects),
            storage=StorageType.FILE,
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD,
            max_bytes=self._settings.max_bytes,
            max_age=0,
            max_msgs=-1,
            max_consumers=-1,
            num_replicas=self._settings.replicas,
            allow_direct=True,
            deny_delete=False,
            deny_purge=False,
        )

    async def end(self) -> StreamEnd | None:
        """See `OwnStream`.

        The count comes first, then the last message of each filter: a message that arrives between the two shows as one
        above the count, and then both are read again. The other order could publish it twice. Asked of the stream's
        leader, because a follower may not have the last message yet.
        """
        while True:
            info = await self._info()
            if info is None:
                return None
            last_sequence = info.state.last_seq
            last = await self._last_message()
            if last is None or last.seq is None:
                return StreamEnd(last_sequence, None, None)
            if last.seq <= last_sequence:
                return _ending_with(last.headers or {}, last_sequence)

    async def _last_message(self) -> RawStreamMsg | None:
        """The message with the highest sequence. Not `>`, which answers 404 once the tail was deleted."""
        found: list[RawStreamMsg] = []
        for subject in self._settings.subjects:
            with away_as_stream_away():
                try:
                    found.append(await self._nats.jetstream.get_last_msg(self.name, subject))
                except NotFoundError:
                    continue
        return max(found, key=lambda message: message.seq or 0, default=None)

    async def _info(self) -> StreamInfo | None:
        with away_as_stream_away():
            try:
                return await self._nats.jetstream.stream_info(self.name)
            except NotFoundError:
                return None

    @asynccontextmanager
    async def publishing(self, after: int) -> AsyncIterator[FencedPublisher]:
        """See `OwnStream`."""
        async with fenced_publisher(self._nats, self.name, self._envelopes, after) as publisher:
            yield publisher


async def count_messages(nats: Nats, name: str) -> int:
    """How many messages a stream holds; 0 when there is no such stream.

    Raises:
        StreamAway: the broker is away.
    """
    with away_as_stream_away():
        try:
            return (await nats.jetstream.stream_info(name)).state.messages
        except NotFoundError:
            return 0


async def delete_stream(nats: Nats, name: str) -> None:
    """The operator's answer to the alarm of an emptied stream: its relay makes it anew and fills it from the store.

    Raises:
        StreamAway: the broker is away; it may or may not have happened.
    """
    with away_as_stream_away():
        try:
            await nats.jetstream.delete_stream(name)
        except NotFoundError:
            return


def _ending_with(headers: Mapping[str, str], last_sequence: int) -> StreamEnd:
    """What a stream's last message says; one that is no event of ours has a position that no store has."""
    try:
        return StreamEnd(last_sequence, int(headers[POSITION]), UUID(headers[EVENT_ID]))
    except (KeyError, ValueError):
        return StreamEnd(last_sequence, NOBODYS, None)
