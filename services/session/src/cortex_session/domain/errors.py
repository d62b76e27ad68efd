"""Why sessions, messages and attendances refuse."""

from cortex_eventing.errors import AlreadyExists, NotFound, WrongState

SESSION_NOT_FOUND = "SESSION_NOT_FOUND"
SESSION_ENDED = "SESSION_ENDED"
ROOM_TAKEN = "ROOM_TAKEN"
NEVER_JOINED = "NEVER_JOINED"


class SessionNotFound(NotFound):
    """There is no such session in this project."""

    def __init__(self) -> None:
        super().__init__("session", reason=SESSION_NOT_FOUND, field="session_id")


class SessionHasEnded(WrongState):
    """The session is over, for ever."""

    reason = SESSION_ENDED

    def __init__(self) -> None:
        super().__init__("the session has ended", field="session_id")


class RoomTaken(AlreadyExists):
    """The room has an active session.

    Attributes:
        session_id: which one; of the caller's own project.
    """

    reason = ROOM_TAKEN

    def __init__(self, session_id: str) -> None:
        super().__init__(f"the room has an active session, {session_id}", field="external_room_id")
        self.session_id = session_id


class NeverJoined(NotFound):
    """Nobody of that name came into the room."""

    def __init__(self) -> None:
        super().__init__("attendance", reason=NEVER_JOINED)
