"""Peers whose streams broke and did not come back: found, and dated by their last frames."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from cortex_eventing.adapters.postgres.link import linked
from cortex_runtime.database import DatabaseAccess
from cortex_transcriber.adapters.postgres_presence import Absent, PostgresPresence
from cortex_transcriber.domain.commands import SpeakerKey
from cortex_transcriber.stream.ports import Carried

pytestmark = pytest.mark.integration

PROJECT = "018f0000-0000-7000-8000-0000000000aa"
SESSION = "018f0000-0000-7000-8000-000000000001"
HEARD_UNTIL = datetime(2026, 5, 1, 12, 0, 30, tzinfo=UTC)
LAST_FRAME = HEARD_UNTIL + timedelta(seconds=5)
ADA = SpeakerKey(SESSION, "peer-1")
HERE = Carried(ADA, PROJECT, "here", LAST_FRAME)
THERE = Carried(ADA, PROJECT, "there", HEARD_UNTIL)


@pytest.fixture
async def presence(database: DatabaseAccess) -> AsyncIterator[PostgresPresence]:
    """The record."""
    async with linked(database.writer_dsn, "test") as link:
        yield PostgresPresence(link)


async def told(database: DatabaseAccess, statement: str, *values: object) -> None:
    """Change what is recorded, as time or the projection would."""
    async with await psycopg.AsyncConnection.connect(database.writer_dsn, autocommit=True) as connection:
        await connection.execute(statement.encode(), values)


async def in_the_room(database: DatabaseAccess, speaker: SpeakerKey = ADA, stored: str = "0 seconds") -> None:
    """The events say that the speaker is there."""
    await told(
        database,
        "INSERT INTO open_speakers VALUES (%s, %s, %s, %s, %s, %s, now() - %s::interval)",
        *(PROJECT, speaker.aggregate_id, SESSION, speaker.peer_id, HEARD_UNTIL, HEARD_UNTIL, stored),
    )


async def unseen_for(database: DatabaseAccess, seconds: int) -> None:
    """Time passes without a sign of life of anybody."""
    await told(database, "UPDATE carried_speakers SET seen_at = seen_at - make_interval(secs => %s)", seconds)


async def test_somebody_who_comes_back_is_told_how_long_they_were_away(
    presence: PostgresPresence, database: DatabaseAccess
) -> None:
    """The first time nothing is known; the last frame is the latest that any stream saw."""
    assert await presence.claim(HERE) is None
    await unseen_for(database, 90)
    absence = await presence.claim(THERE)
    assert absence is not None
    assert timedelta(seconds=90) <= absence.lasted < timedelta(seconds=100)
    assert absence.last_frame_at == LAST_FRAME


async def test_a_stream_learns_that_another_took_its_speaker(presence: PostgresPresence) -> None:
    """The newest claim counts; the older one's sign of life is refused."""
    await presence.claim(HERE)
    assert await presence.beat([HERE]) == set()
    await presence.claim(THERE)
    assert await presence.beat([HERE]) == {"here"}
    assert await presence.beat([THERE]) == set()
    await presence.release(HERE)
    assert await presence.beat([THERE]) == set()


async def test_a_lost_record_is_made_again_by_signs_of_life(
    presence: PostgresPresence, database: DatabaseAccess
) -> None:
    """Nobody is taken for gone because a table was emptied."""
    await presence.claim(HERE)
    await told(database, "DELETE FROM carried_speakers")
    assert await presence.beat([HERE]) == set()
    await presence.claim(THERE)
    assert await presence.beat([HERE]) == {"here"}


async def test_who_was_not_seen_for_longer_than_the_grace_is_absent(
    presence: PostgresPresence, database: DatabaseAccess
) -> None:
    """The leaving is dated by the last frame, and not by when it was noticed."""
    await in_the_room(database)
    await presence.claim(HERE)
    await unseen_for(database, 59)
    assert await presence.absent() == []
    await unseen_for(database, 2)
    assert await presence.absent() == [Absent(PROJECT, ADA, LAST_FRAME)]
    await presence.beat([HERE])
    assert await presence.absent() == []


async def test_who_is_on_no_stream_when_the_session_ends_is_absent_soon(
    presence: PostgresPresence, database: DatabaseAccess
) -> None:
    """Nobody comes back; a stream that still finishes what was heard says so, and its speaker stays."""
    await in_the_room(database)
    await presence.claim(HERE)
    await unseen_for(database, 20)
    await presence.session_over(str(uuid.uuid4()))
    assert await presence.absent() == []
    await presence.session_over(SESSION)
    await presence.session_over(SESSION)
    assert await presence.absent() == [Absent(PROJECT, ADA, LAST_FRAME)]
    await presence.beat([HERE])
    assert await presence.absent() == []
    await unseen_for(database, 14)
    assert await presence.absent() == []
    await presence.forget()
    await unseen_for(database, 2)
    assert await presence.absent() == [Absent(PROJECT, ADA, LAST_FRAME)]


async def test_ended_sessions_are_forgotten_once_the_usual_grace_is_over(
    presence: PostgresPresence, database: DatabaseAccess
) -> None:
    """The table stays as small as what ended a moment ago."""
    await presence.session_over(SESSION)
    await told(database, "UPDATE ended_sessions SET noted_at = noted_at - interval '121 seconds'")
    await in_the_room(database, stored="20 seconds")
    assert await presence.absent() == [Absent(PROJECT, ADA, HEARD_UNTIL)]
    await presence.forget()
    assert await presence.absent() == []


async def test_without_a_record_the_events_alone_decide(presence: PostgresPresence, database: DatabaseAccess) -> None:
    """Then the last utterance is the last thing that is known."""
    bob = SpeakerKey(SESSION, "peer-2")
    await in_the_room(database, stored="30 seconds")
    await in_the_room(database, bob, stored="61 seconds")
    assert await presence.absent() == [Absent(PROJECT, bob, HEARD_UNTIL)]


async def test_the_record_forgets_those_who_left(presence: PostgresPresence, database: DatabaseAccess) -> None:
    """What a stream wrote after a goodbye does not stay for ever."""
    gone = Carried(SpeakerKey(str(uuid.UUID(int=5)), "peer-9"), PROJECT, "gone", LAST_FRAME)
    await in_the_room(database)
    await presence.beat([HERE, gone])
    await unseen_for(database, 100)
    await presence.forget()
    assert await presence.claim(gone) is None
    assert await presence.claim(HERE) is not None
