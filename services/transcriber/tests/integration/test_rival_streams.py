"""Streams that want the same speaker, or more room than there is, on one replica and on two."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from itertools import pairwise

import grpc
import pytest
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex_client.errors import CallFailed, failure, failure_of
from cortex_testkit.environment import settings_from
from cortex_transcriber.settings import TranscriberSettings
from cortex_transcriber.wiring import transcriber_service

from services.transcriber.tests.integration.rooms import Bot, Neighbours

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
async def replicas(environment: dict[str, str]) -> AsyncIterator[Sequence[str]]:
    """Where two transcribers on the same servers listen."""
    settings = settings_from(TranscriberSettings, environment)
    async with AsyncExitStack() as running:
        both = [await running.enter_async_context(transcriber_service(settings)) for _ in range(2)]
        yield [listening.address for listening in both]


async def refusal(bot: Bot) -> CallFailed:
    """What a stream was refused with, as the client's library tells it."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await bot.closed()
    return failure_of(refused.value)


@pytest.mark.parametrize("elsewhere", [0, 1], ids=["the same replica", "another replica"])
async def test_the_newer_stream_has_the_speaker(
    replicas: Sequence[str], project_session: tuple[str, str], reading: list[bytes], elsewhere: int
) -> None:
    """The older one is told so, whichever replica carries it; every frame is heard once, by one of them."""
    older, newer = Bot(replicas[0]), Bot(replicas[elsewhere])
    try:
        await older.open(*project_session)
        await older.join()
        await older.hear(reading[:200])
        await older.until("final")
        await newer.open(*project_session)
        needed = await newer.join(peer=5, resume_from=older.acknowledged + 1)
        told = (await older.until("peer_refused"))[0].peer_refused
        assert (told.peer, told.removed, failure(told.status).reason) == (1, True, "SUPERSEDED")
        await newer.hear(reading[needed:], first=needed, peer=5)
        await newer.say(end=pb.End())
        await newer.closed()
        heard = [(final.first_sequence, final.last_sequence) for final in finals(older) + finals(newer)]
        assert all(one[1] < other[0] for one, other in pairwise(heard))
        assert newer.acknowledged == len(reading) - 1
    finally:
        await older.close()
        await newer.close()


def finals(bot: Bot) -> list[pb.FinalText]:
    """What a bot was told was said."""
    return [answer.final for answer in bot.of("final")]


async def test_a_project_is_told_when_to_come_back(
    environment: dict[str, str], around: Neighbours, project: str
) -> None:
    """It has as many streams as it may; another project's bot is taken, until there is room for nobody."""
    limits = {"CORTEX_STREAMS_MOST": "2", "CORTEX_STREAMS_MOST_OF_PROJECT": "1"}
    other = "018f0000-0000-7000-8000-0000000000dd"
    async with transcriber_service(settings_from(TranscriberSettings, {**environment, **limits})) as listening:
        bots = [Bot(listening.address) for _ in range(4)]
        for bot, whose in zip(bots, (project, project, other, other), strict=True):
            await bot.open(whose, around.session(whose))
            if bot in (bots[0], bots[2]):
                await bot.until("opened")
        refused = [await refusal(bots[1]), await refusal(bots[3])]
        for bot in bots:
            await bot.close()
    assert [each.code for each in refused] == [grpc.StatusCode.RESOURCE_EXHAUSTED] * 2
    assert [each.reason for each in refused] == ["PROJECT_FULL", "REPLICA_FULL"]
    assert all(each.retry_after for each in refused)
