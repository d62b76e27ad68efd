"""Handling what the transcriber heard in the room of a session: the executor of the reaction `follow-speakers`."""

from dataclasses import replace

from cortex.session.v1.events_pb2 import MessageCreated
from cortex_eventing.command_handling import CommandHandling
from cortex_eventing.reactions import Request

from cortex_session.commanding import Sessions
from cortex_session.domain.attendance import ATTENDANCES, Attendance, AttendanceEvent, attendance_id
from cortex_session.domain.commands import AttendanceCommand, MessageCommand, StoreUtterance
from cortex_session.domain.messages import Stored
from cortex_session.domain.notes import note_about
from cortex_session.reactions.follow_speakers import RoomCommand

MessageHandling = CommandHandling[MessageCommand, Stored, MessageCreated]
AttendanceHandling = CommandHandling[AttendanceCommand, Attendance, AttendanceEvent]

NOTE = ".note"
"""What is added to a reaction's method for its second command. Never changed: repeats are recognised by it."""


class RoomFollower:
    """Stores what is said, and who comes and goes."""

    def __init__(self, sessions: Sessions, messages: MessageHandling, attendances: AttendanceHandling) -> None:
        self._sessions = sessions
        self._messages = messages
        self._attendances = attendances

    async def execute(self, request: Request[RoomCommand]) -> None:
        """Do what the reaction asks for; harmless when it was done before.

        Raises:
            Rejected: the session is unknown, or had ended before.
            Unavailable: the store is away.
        """
        session = await self._sessions.find(request.command.session_id, request.origin.project_id)
        command = replace(request.command, session=session)
        if isinstance(command, StoreUtterance):
            await self._messages.handle(command, request.origin, request.key, None)
        else:
            await self._attend(replace(request, command=command), command)

    async def _attend(self, request: Request[RoomCommand], command: AttendanceCommand) -> None:
        """Store the system's note, and only then the coming or going that it is about.

        After a crash in between the note is met again by its id. The other way round it would be lost, since nothing
        comes or goes twice; and a watcher who sees that nobody is left has seen every note.
        """
        attendance, _ = await self._attendances.load(attendance_id(command), request.origin.project_id)
        if not ATTENDANCES.decide(command, attendance).events:
            return
        key = replace(request.key, method=request.key.method + NOTE)
        await self._messages.handle(note_about(command, attendance), request.origin, key, None)
        await self._attendances.handle(command, request.origin, request.key, None)
