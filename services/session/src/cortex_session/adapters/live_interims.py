"""Interim texts from the live subject: core NATS, never stored, lost when nobody listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from cortex.transcriber.v1.live_pb2 import LiveInterim
from cortex_eventing.adapters.nats.connection import Nats
from cortex_eventing.backoff import waits
from cortex_eventing.cancelling import cancel_until_ended
from cortex_eventing.errors import Unavailable
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError, Error

from cortex_session.domain.ids import SessionId
from cortex_session.watched import NewestInterims

MOST_PENDING = 1000
"""Messages that wait to be looked at; more are dropped, since each new one replaces its peer's last."""


def live_subjects(project_id: str, session_id: SessionId) -> str:
    """Where the interim texts of a session's participants are."""
    return f"cortex.live.{project_id}.{session_id}.>"


class NatsLiveTexts:
    """The port `LiveTexts` over core NATS; its client subscribes anew by itself after a lost connection."""

    def __init__(self, connection: Nats) -> None:
        self._connection = connection

    @asynccontextmanager
    async def of_session(self, project_id: str, session_id: SessionId, interims: NewestInterims) -> AsyncIterator[None]:
        """See `LiveTexts`."""
        listening = asyncio.create_task(self._listen(live_subjects(project_id, session_id), interims))
        try:
            yield
        finally:
            await cancel_until_ended(listening)

    async def _listen(self, subject: str, interims: NewestInterims) -> None:
        """Listen until cancelled; a server that is away is asked again and again."""

        async def hear(message: Msg) -> None:
            with suppress(DecodeError):  # not ours: the next one may be
                interims.heard(LiveInterim.FromString(message.data))

        for pause in waits():
            try:
                subscription = await self._connection.client.subscribe(
                    subject, cb=hear, pending_msgs_limit=MOST_PENDING
                )
            except (Unavailable, ConnectionClosedError, OSError, TimeoutError):
                await asyncio.sleep(pause)
            else:
                await _until_cancelled(subscription)


async def _until_cancelled(subscription: Subscription) -> None:
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        with suppress(Error, OSError):
            await subscription.unsubscribe()
