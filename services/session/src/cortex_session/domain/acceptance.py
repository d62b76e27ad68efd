"""Whether a session still takes what happened in its room."""

from datetime import datetime

from cortex_session.domain.errors import SessionHasEnded, SessionNotFound
from cortex_session.domain.session import Session


def must_belong_to(session: Session | None, began_at: datetime) -> None:
    """Refuse what began after the session's end; what began before it is taken after it, too.

    Raises:
        SessionNotFound: there is no such session in this project.
        SessionHasEnded: it had ended before.
    """
    if session is None:
        raise SessionNotFound
    if session.ended_at is not None and began_at > session.ended_at:
        raise SessionHasEnded
