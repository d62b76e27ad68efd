"""What is known of a bot that is not heard from."""

import asyncio
import math
from datetime import timedelta

import pytest
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex_eventing.times import span
from cortex_testkit.waiting import eventually
from cortex_transcriber.stream.hearing import PAUSE
from cortex_transcriber.stream.link import GIVEN_UP_AFTER, Link

from services.transcriber.tests.streaming import Stage, payloads, talk

pytestmark = pytest.mark.unit

SECOND = timedelta(seconds=1)


def test_a_bot_that_promised_nothing_is_taken_as_there() -> None:
    """Its peers' silence is all that can be known."""
    assert Link(None, 0.0).up_since(3_600.0) == -math.inf


def test_heartbeats_keep_a_link_up() -> None:
    """As long as they come; after a gap it is up since they came again."""
    link = Link(SECOND, 0.0)
    for at in (1.0, 2.1, 4.0):
        link.messages += 1
        assert link.up_since(at) == -math.inf
    assert link.up_since(5.9) == -math.inf
    assert link.up_since(6.1) == math.inf
    link.messages += 3
    assert link.up_since(8.0) == 8.0
    assert link.up_since(8.5) == 8.0


def test_a_bot_that_stays_away_is_given_up() -> None:
    """It would have found out, and come back on another link."""
    link = Link(SECOND, 0.0)
    assert link.up_since(GIVEN_UP_AFTER) == math.inf
    assert link.up_since(GIVEN_UP_AFTER + 1) == -math.inf


async def test_a_link_that_dies_cuts_nobody_short() -> None:
    """Speech goes on for a bot that is not heard from, and is over for one that is and sends none of it."""
    stage = Stage()
    async with stage.bot(heartbeat=span(SECOND)) as bot:
        bot.join()
        await bot.until("peer_resolved")
        bot.hear(payloads(talk(7, (60, 60)))[:40])
        await stage.heard(40)
        now = asyncio.get_running_loop().time()
        stage.hearing.end_speech_of_silent(now - PAUSE)  # so that it is noticed that frames came
        (attended,) = stage.hearing._attended.values()
        attended.given_at = now - 2 * PAUSE
        attended.link._heard_at = attended.given_at
        attended.link._seen = attended.link.messages
        stage.hearing.end_speech_of_silent(now - PAUSE)
        assert not stage.hearing._ready
        bot.say(heartbeat=pb.Heartbeat())
        await eventually(lambda: bot.unread == 0)
        stage.hearing.end_speech_of_silent(now - PAUSE)
        assert not stage.hearing._ready
        attended.link._up_since = now - 2 * PAUSE
        stage.hearing.end_speech_of_silent(now - PAUSE)
        assert (await bot.until("final"))[0].final.text == "7:0-39"
