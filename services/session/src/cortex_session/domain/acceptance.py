"""Whether a session still takes what happened in its room."""

from datetime import datetime

from cortex_session.domain.errors import SessionHasEnded, SessionNotFound
from cortex_session.domain.session import Session


def must_belong_to(session: Session | None, began_at: datetime, known_at: datetime | None) -> None:
    """Refuse what began after the session's end; what began before it is taken after it, too.

    Two clocks tell when it began, and the earlier one counts. The bot's may be fast: what the transcriber knew of
    before the end began before the end, whatever the bot says. And what the transcriber heard late, because the bot
    resent it, was said when the bot says.

    Args:
        session: as it is now.
        began_at: by the bot's clock.
        known_at: when the transcriber had the first of it; None when that is not known.

    Raises:
        SessionNotFound: there is no such session in this project.
        SessionHasEnded: it had ended before.
    """
    if session is None:
        raise SessionNotFound
    began_at = began_at if known_at is None else min(began_at, known_at)
    if session.ended_at is not None and began_at > session.ended_at:
        raise SessionHasEnded
