"""Handling commands about speakers (1 to 3)."""

import time
from typing import Final

from cortex_eventing.command_handling import CommandHandling
from cortex_eventing.errors import Impossible
from cortex_eventing.recorded import Origin

from cortex_transcriber.domain.commands import SpeakerCommand
from cortex_transcriber.domain.speaker import Speaker, SpeakerEvent
from cortex_transcriber.stream.ports import Stored

SpeakerHandling = CommandHandling[SpeakerCommand, Speaker, SpeakerEvent]

STORED_WITHIN: Final = 10.0
"""Seconds for one attempt: a restart of PostgreSQL is waited out within one, a longer absence over several."""


class StoredSpeakers:
    """The port `Speakers` on the event store. Commands need no request id: a repeat changes nothing by itself."""

    def __init__(self, handling: SpeakerHandling) -> None:
        self._handling = handling

    async def handle(self, command: SpeakerCommand, origin: Origin) -> Stored:
        """Decide and store.

        Raises:
            Rejected: the command was refused.
            Unavailable: the store is away; it may have been stored all the same.
        """
        done = await self._handling.handle(command, origin, deadline=time.monotonic() + STORED_WITHIN)
        if done.state is None:
            raise Impossible(command, done.state)
        return Stored(done.state, done.version, done.position)
