"""What a peer costs while it is there: 4 MiB at most while it speaks, and 64 KiB while it is silent."""

import asyncio
import gc
import tracemalloc
from collections.abc import Iterator

import pytest
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex_testkit.waiting import eventually
from cortex_transcriber.stream.limits import Limits

from services.transcriber.tests.streaming import Stage, payloads, talk

pytestmark = pytest.mark.unit

PEERS = 5
KIB = 1_024
SILENT, SPEAKING = 64 * KIB, 4 * KIB * KIB
SPOKEN = 500
"""Frames of speech without a pause, 10 s."""

AT_ONCE = 100
FLOOD = 20_000
"""Frames of speech, 400 s, as fast as they are taken."""


@pytest.fixture
def traced() -> Iterator[None]:
    """Every allocation of Python's and numpy's is counted."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def held() -> int:
    """Bytes that are held now."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.usefixtures("traced")
async def test_a_peer_costs_what_it_may() -> None:
    """Silent ones next to nothing, and those in the midst of a long sentence a fraction of their bound."""
    stage = Stage(limits=Limits(max_peers=PEERS))
    speech = payloads(talk(7, (SPOKEN, 0)))
    async with stage.bot() as bot:
        await bot.until("opened")
        before = held()
        for peer in range(1, PEERS + 1):
            bot.join(peer, f"peer-{peer}")
        await bot.until("peer_resolved", PEERS)
        assert held() - before < PEERS * SILENT
        for at in range(0, SPOKEN, AT_ONCE):
            for peer in range(1, PEERS + 1):
                own = [bytes(bytearray(frame)) for frame in speech[at : at + AT_ONCE]]
                bot.say(frames=pb.Frames(peer=peer, first_sequence=at, payloads=own))
        await eventually(lambda: bot.unread == 0 and not stage.hearing._ready)
        await asyncio.sleep(0)
        taken = held() - before
        assert SPOKEN * len(speech[0]) * PEERS < taken < PEERS * SPEAKING


@pytest.mark.usefixtures("traced")
async def test_a_peer_that_sends_minutes_at_once_costs_no_more() -> None:
    """While not one of its utterances gets its words, the stream is not read any further."""
    stage = Stage()
    speech = payloads(talk(7, *[(SPOKEN, 60)] * (FLOOD // SPOKEN)))
    stage.recognition.held[0] = asyncio.Event()
    async with stage.bot() as bot:
        await bot.until("opened")
        bot.join()
        await bot.until("peer_resolved")
        before = held()
        for at in range(0, FLOOD, AT_ONCE):
            own = [bytes(bytearray(frame)) for frame in speech[at : at + AT_ONCE]]
            bot.say(frames=pb.Frames(peer=1, first_sequence=at, payloads=own))
        await eventually(lambda: 0 < bot.unread < FLOOD // AT_ONCE and not stage.hearing._ready)
        taken = held() - before
        assert FLOOD * len(speech[0]) > SPEAKING > taken > SPOKEN * len(speech[0])
