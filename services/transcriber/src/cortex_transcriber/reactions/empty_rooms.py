"""session.ended → whoever is still in the room and on no stream has left.

A reaction and not the follower of every replica: it keeps its place over restarts, so an end that came while no replica
ran empties its room, too.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cortex.session.v1.events_pb2 import SessionEnded
from cortex_eventing.reactions import Execute, Reaction, Request
from cortex_eventing.recorded import Recorded


@dataclass(frozen=True)
class EmptyRoom:
    """Let the sweep find soon who is left in the room of a session."""

    session_id: str


def _command(recorded: Recorded[SessionEnded]) -> EmptyRoom:
    return EmptyRoom(recorded.event.session_id)


EMPTY_ROOMS: Reaction[EmptyRoom] = Reaction(
    name="empty-rooms",  # never renamed: its checkpoint derives from it
    listens_to=(SessionEnded,),
    command=_command,
)


def emptying(session_over: Callable[[str], Awaitable[None]]) -> Execute[EmptyRoom]:
    """The executor of the reaction."""

    async def execute(request: Request[EmptyRoom]) -> None:
        await session_over(request.command.session_id)

    return execute
