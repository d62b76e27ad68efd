"""Which stream carries which speaker: a row per speaker that its stream keeps fresh, by the database's clock.

It is no event, because it changes every few seconds and tells nobody anything that events do not. Losing it costs the
last seconds of an attendance, and never words.

Beside it stands which sessions ended a moment ago: into their rooms no stream comes back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cortex_eventing.adapters.postgres.link import Link

from cortex_transcriber.domain.commands import Absence, SpeakerKey
from cortex_transcriber.domain.decisions import REJOIN_GRACE
from cortex_transcriber.stream.ports import Carried

SWEPT_AT_ONCE: Final = 500
"""Speakers in one page of a sweep: after an outage there may be thousands."""

ENDED_GRACE: Final = timedelta(seconds=15)
"""How long a speaker of an ended session may be without a sign of life: three of them, as after a start of the sweep.

A stream that still finishes what was heard says that it carries its speakers until their last words are stored, so a
leaving never comes before them; and no new stream opens. A watcher of the session waits 30 s for it.
"""

_CLAIM: Final = """
    WITH before AS (
        SELECT now() - seen_at AS absent, last_frame_at FROM carried_speakers WHERE speaker_id = %(speaker)s
    )
    INSERT INTO carried_speakers AS carried (speaker_id, holder, last_frame_at)
    VALUES (%(speaker)s, %(holder)s, %(last_frame_at)s)
    ON CONFLICT (speaker_id) DO UPDATE SET
        holder = excluded.holder,
        seen_at = now(),
        last_frame_at = greatest(carried.last_frame_at, excluded.last_frame_at)
    RETURNING (SELECT absent FROM before), (SELECT last_frame_at FROM before)
"""
_BEAT: Final = """
    INSERT INTO carried_speakers AS carried (speaker_id, holder, last_frame_at)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[])
    ON CONFLICT (speaker_id) DO UPDATE SET
        seen_at = now(),
        last_frame_at = greatest(carried.last_frame_at, excluded.last_frame_at)
    WHERE carried.holder = excluded.holder
    RETURNING carried.holder
"""
_RELEASE: Final = "DELETE FROM carried_speakers WHERE speaker_id = %s AND holder = %s"
_ABSENT: Final = """
    SELECT speaker.project_id::text, speaker.session_id::text, speaker.peer_id,
           greatest(speaker.heard_until, carried.last_frame_at)
    FROM open_speakers speaker LEFT JOIN carried_speakers carried USING (speaker_id)
    LEFT JOIN ended_sessions ended USING (session_id)
    WHERE coalesce(carried.seen_at, speaker.stored_at)
        < now() - CASE WHEN ended.session_id IS NULL THEN %s ELSE %s END
    LIMIT %s
"""
_SESSION_OVER: Final = "INSERT INTO ended_sessions (session_id) VALUES (%s) ON CONFLICT DO NOTHING"
_FORGET_SESSIONS: Final = "DELETE FROM ended_sessions WHERE noted_at < now() - %s"
_FORGET: Final = """
    DELETE FROM carried_speakers carried WHERE seen_at < now() - %s
    AND NOT EXISTS (SELECT FROM open_speakers speaker WHERE speaker.speaker_id = carried.speaker_id)
"""


@dataclass(frozen=True)
class Absent:
    """A speaker in the room whom no stream has carried for longer than the grace."""

    project_id: str
    speaker: SpeakerKey
    last_frame_at: datetime


class PostgresPresence:
    """The port `Presence`, and what the sweep asks. Every method raises Unavailable when the database is away.

    Args:
        link: to the service's database, as its writer.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    async def claim(self, carried: Carried) -> Absence | None:
        """A stream carries the speaker from now on; since when nobody did, None when that is not known."""
        values = {
            "speaker": carried.speaker.aggregate_id,
            "holder": carried.holder,
            "last_frame_at": carried.last_frame_at,
        }
        async with self._link.use() as connection:
            found = await (await connection.execute(_CLAIM, values)).fetchone()
        return None if found is None or found[0] is None else Absence(*found)

    async def release(self, carried: Carried) -> None:
        """The speaker has left; nothing happens when another stream carries it."""
        async with self._link.use() as connection:
            await connection.execute(_RELEASE, [carried.speaker.aggregate_id, carried.holder])

    async def beat(self, everybody: Sequence[Carried]) -> set[str]:
        """Keep the rows of these speakers fresh; the holders whose speakers other streams carry."""
        by_speaker = {carried.speaker.aggregate_id: carried for carried in everybody}
        if not by_speaker:
            return set()
        columns = [
            list(by_speaker),
            [carried.holder for carried in by_speaker.values()],
            [carried.last_frame_at for carried in by_speaker.values()],
        ]
        async with self._link.use() as connection:
            kept = await (await connection.execute(_BEAT, columns)).fetchall()
        return {carried.holder for carried in everybody} - {holder for (holder,) in kept}

    async def absent(self) -> list[Absent]:
        """Some of the speakers who are in a room by the events and on no stream."""
        async with self._link.use() as connection:
            found = await (await connection.execute(_ABSENT, [REJOIN_GRACE, ENDED_GRACE, SWEPT_AT_ONCE])).fetchall()
        return [Absent(project, SpeakerKey(session, peer), last) for project, session, peer, last in found]

    async def session_over(self, session_id: str) -> None:
        """Nobody comes back into the room of this session; harmless when it is said again."""
        async with self._link.use() as connection:
            await connection.execute(_SESSION_OVER, [session_id])

    async def forget(self) -> None:
        """Remove the rows of speakers who left, and of sessions whose rooms the usual grace has emptied."""
        async with self._link.use() as connection:
            await connection.execute(_FORGET, [REJOIN_GRACE])
            await connection.execute(_FORGET_SESSIONS, [2 * REJOIN_GRACE])
