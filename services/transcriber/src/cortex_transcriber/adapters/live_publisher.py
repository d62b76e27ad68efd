"""The live subject: core NATS, for whoever listens now. Nothing is stored, nothing is waited for."""

from contextlib import suppress

import nats.errors
from cortex.transcriber.v1.live_pb2 import LiveInterim
from cortex_eventing.adapters.nats.connection import Nats
from cortex_eventing.errors import Unavailable


def live_subject(project_id: str, session_id: str, participant_id: str) -> str:
    """Where a participant's interim texts are said."""
    return f"cortex.live.{project_id}.{session_id}.{participant_id}"


class LivePublisher:
    """The port `LiveTexts` on NATS."""

    def __init__(self, connection: Nats) -> None:
        self._connection = connection

    async def say(self, project_id: str, interim: LiveInterim) -> None:
        """Publish an interim text, unless the broker is away."""
        subject = live_subject(project_id, interim.session_id, interim.participant_id)
        with suppress(Unavailable, nats.errors.Error, OSError):
            await self._connection.client.publish(subject, interim.SerializeToString())
