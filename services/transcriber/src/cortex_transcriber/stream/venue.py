"""Where peers are heard: one open stream."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from cortex_eventing.recorded import Origin

from cortex_transcriber.speech.segmenting import Segmenting
from cortex_transcriber.stream.link import Link
from cortex_transcriber.stream.outbox import Outbox
from cortex_transcriber.stream.ports import ActiveSession, Recognition
from cortex_transcriber.stream.room import Room

Spawn = Callable[[Coroutine[Any, Any, Any]], "asyncio.Task[Any]"]


@dataclass(frozen=True)
class Venue:
    """An open stream, for what happens on it.

    Attributes:
        recognition: the model that hears the session.
        room: its peers.
        outbox: its answers.
        origin: where the commands that it leads to come from.
        segmenting: how the speech on it is cut.
        include_interim: whether interim texts are sent back on it.
        link: the way from the bot.
        spawn: starts a task that lives as long as the stream; an error in it that nobody expects ends the stream.
    """

    session: ActiveSession
    recognition: Recognition
    room: Room
    outbox: Outbox
    origin: Origin
    segmenting: Segmenting
    include_interim: bool
    link: Link
    spawn: Spawn
