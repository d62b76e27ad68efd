"""A bot's stream on the running service: speech in, stored utterances out."""

from datetime import timedelta

import nats
import numpy as np
import psycopg
import pytest
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex.transcriber.v1.events_pb2 import SpeakerLeft, UtteranceTranscribed
from cortex.transcriber.v1.live_pb2 import LiveInterim
from cortex_eventing.times import stamp
from cortex_testkit.waiting import eventually
from cortex_transcriber.adapters.scripted_recogniser import frames_heard
from prometheus_client import REGISTRY

from services.transcriber.tests.integration.conftest import Events, NewBot
from services.transcriber.tests.integration.rooms import FRAME_MS, PATIENCE, ZERO, Bot, Neighbours

pytestmark = pytest.mark.integration

MIDDLE_OF_A_SENTENCE = 143
"""Frames: more than a second into the second sentence of the reading, which has not ended."""


def frames_counted(fate: str) -> float:
    """What the metric says."""
    return REGISTRY.get_sample_value("cortex_transcriber_frames_total", {"fate": fate}) or 0


async def test_what_is_said_is_stored_told_and_acknowledged(
    bot: Bot, events: Events, project: str, session: str, reading: list[bytes]
) -> None:
    """Each utterance is one event with the words of its frames, attributed and timed."""
    await bot.open(project, session)
    assert (await bot.until("opened"))[0].opened.session_zero_at == stamp(ZERO)
    await bot.join()
    await bot.hear(reading)
    await bot.say(end=pb.End())
    await bot.closed()
    assert bot.acknowledged == len(reading) - 1
    stored = await events()
    assert stored[0].DESCRIPTOR.name == "SpeakerJoined"
    assert stored[-1].DESCRIPTOR.name == "SpeakerLeft"
    utterances = [event for event in stored if isinstance(event, UtteranceTranscribed)]
    assert [event.text for event in utterances] == bot.texts
    for event in utterances:
        assert [frame for _, frame in frames_heard([event.text])] == list(
            range(event.first_sequence, event.last_sequence + 1)
        )
        assert (event.external_user_id, event.display_name, event.session_id) == ("ada", "Ada", session)
        assert [(word.text, word.start_offset) for word in event.words.words] == [(event.text, event.start_offset)]
    assert [list(answer.final.words) for answer in bot.of("final")] == [list(event.words.words) for event in utterances]


async def test_48_khz_are_heard_as_well(bot: Bot, project: str, session: str, reading: list[bytes]) -> None:
    """Frames of another rate are longer and mean the same times; the whole of them is accounted for."""
    await bot.open(project, session)
    await bot.join(rate=48_000)
    await bot.hear([frame * 3 for frame in reading[:100]])
    await bot.say(end=pb.End())
    await bot.closed()
    assert bot.acknowledged == 99


async def test_jitter_and_repeats_change_nothing(
    new_bot: NewBot, project: str, around: Neighbours, reading: list[bytes]
) -> None:
    """Frames that overtake each other, and come twice, give the texts of the undisturbed stream, and are counted."""
    texts = []
    before = {fate: frames_counted(fate) for fate in ("reordered", "duplicate", "lost")}
    for jitter in (0.0, 4.9):
        chance = np.random.default_rng(11)
        async with new_bot() as bot:
            await bot.open(project, around.session(project))
            await bot.join()
            for sequence in sorted(range(len(reading)), key=lambda at: at + jitter * chance.random()):
                for _ in range(1 + (jitter > 0 and sequence % 50 == 7)):
                    await bot.hear([reading[sequence]], first=sequence)
            await bot.say(end=pb.End())
            await bot.closed()
            assert bot.acknowledged == len(reading) - 1
            texts.append(bot.texts)
    assert texts[0] == texts[1]
    assert texts[0]
    assert frames_counted("reordered") - before["reordered"] > 100
    assert frames_counted("duplicate") - before["duplicate"] == len(range(7, len(reading), 50))
    assert frames_counted("lost") == before["lost"]


async def test_interim_texts_are_said_on_the_live_subject(
    bot: Bot, environment: dict[str, str], project: str, session: str, reading: list[bytes]
) -> None:
    """Whoever listens hears them while somebody speaks; the bot gets them when it asked."""
    connection = await nats.connect(environment["CORTEX_NATS_URL"])
    try:
        live = await connection.subscribe(f"cortex.live.{project}.{session}.*")
        await connection.flush()
        await bot.open(project, session, include_interim=True)
        await bot.join()
        await bot.hear(reading[:MIDDLE_OF_A_SENTENCE])
        said = LiveInterim.FromString((await live.next_msg(PATIENCE)).data)
        assert (said.session_id, said.peer_id) == (session, "peer-1")
        assert (await bot.until("interim"))[0].interim.text
    finally:
        await connection.close()


@pytest.mark.parametrize("cut", [60, 200, 310, 430])
async def test_a_broken_stream_is_resumed_without_a_trace(
    new_bot: NewBot, events: Events, project_session: tuple[str, str], reading: list[bytes], cut: int
) -> None:
    """Resent from the watermark, the texts are those of an uninterrupted stream, each frame in one of them at most."""
    project, session = project_session
    async with new_bot() as bot:
        await bot.open(project, session)
        await bot.join(peer_id="undisturbed")
        await bot.hear(reading)
        await bot.say(end=pb.End())
        await bot.closed()
        expected = bot.texts
    async with new_bot() as bot:
        await bot.open(project, session)
        await bot.join()
        await bot.hear(reading[:cut])
        watermark = bot.acknowledged + 1
    async with new_bot() as bot:
        await bot.open(project, session)
        needed = await bot.join(resume_from=watermark)
        await bot.hear(reading[needed:], first=needed)
        await bot.say(end=pb.End())
        await bot.closed()
    stored = [event for event in await events() if isinstance(event, UtteranceTranscribed)]
    assert [event.text for event in stored if event.peer_id == "peer-1"] == expected


async def test_the_newer_stream_takes_a_peer_over(
    new_bot: NewBot, project: str, session: str, reading: list[bytes]
) -> None:
    """The older bot is told; each utterance is stored once."""
    async with new_bot() as older, new_bot() as newer:
        await older.open(project, session)
        await older.join()
        await older.hear(reading[:50])
        await newer.open(project, session)
        await newer.join()
        assert (await older.until("peer_refused"))[0].peer_refused.removed
        await newer.hear(reading)
        await newer.say(end=pb.End())
        await newer.closed()
        heard = frames_heard(newer.texts)
    assert len(heard) == len(set(heard)) > 0


async def test_the_end_of_the_session_closes_its_streams(
    bot: Bot, around: Neighbours, events: Events, project_session: tuple[str, str], reading: list[bytes]
) -> None:
    """What was heard is finished, the bot is told, and everybody has left."""
    project, session = project_session
    await bot.open(project, session)
    await bot.join()
    await bot.hear(reading[:150])
    around.end(session)
    await bot.closed()
    assert bot.of("session_over")
    assert (await events())[-1].DESCRIPTOR.name == "SpeakerLeft"


async def test_who_is_on_no_stream_when_the_session_ends_has_left(
    *,
    new_bot: NewBot,
    around: Neighbours,
    events: Events,
    project_session: tuple[str, str],
    reading: list[bytes],
    environment: dict[str, str],
) -> None:
    """A stream broke, and the session ended before it came back: the sweep takes less than the usual grace."""
    async with new_bot() as bot:
        await bot.open(*project_session)
        await bot.join()
        await bot.hear(reading[:100])
        await bot.everything_read()
        await bot.until("final")
    await a_beat(environment)
    around.end(project_session[1])
    await eventually(lambda: has_left(events, environment, seconds=16), deadline=60)
    left = (await events())[-1]
    assert left.left_at == stamp(ZERO + 100 * timedelta(milliseconds=FRAME_MS))


async def test_a_peer_waits_for_identity(bot: Bot, around: Neighbours, project: str, session: str) -> None:
    """Its bot holds the audio meanwhile; other peers would be heard."""
    await bot.open(project, session)
    around.identity_away = 6
    await bot.join()
    assert around.identity_away == 0


async def test_who_does_not_come_back_has_left_with_the_last_frame(
    new_bot: NewBot, events: Events, project_session: tuple[str, str], reading: list[bytes], environment: dict[str, str]
) -> None:
    """A broken stream says nothing; after the grace the sweep does."""
    async with new_bot() as bot:
        await bot.open(*project_session)
        await bot.join()
        await bot.hear(reading[:100])
        await bot.everything_read()
        await bot.until("final")
    await a_beat(environment)
    await eventually(lambda: has_left(events, environment, seconds=61), deadline=60)
    left = (await events())[-1]
    assert left.left_at == stamp(ZERO + 100 * timedelta(milliseconds=FRAME_MS))


async def a_beat(environment: dict[str, str]) -> None:
    """Wait for the next sign of life: it says where the audio of a stream that broke has ended."""
    async with await writing(environment) as connection:
        (now,) = await (await connection.execute("SELECT now()")).fetchone() or ()

        async def came() -> bool:
            beats = await connection.execute("SELECT FROM carried_speakers WHERE seen_at > %s", [now])
            return await beats.fetchone() is not None

        await eventually(came)


async def has_left(events: Events, environment: dict[str, str], *, seconds: int) -> bool:
    """Whether a sweep noticed, while more time seems to pass without a sign of life than does."""
    async with await writing(environment) as connection:
        await connection.execute("UPDATE carried_speakers SET seen_at = now() - make_interval(secs => %s)", [seconds])
    return isinstance((await events())[-1], SpeakerLeft)


async def writing(environment: dict[str, str]) -> psycopg.AsyncConnection:
    """A connection to the service's database."""
    return await psycopg.AsyncConnection.connect(environment["CORTEX_POSTGRES_WRITER_DSN"], autocommit=True)
