"""A transcriber that is told to stop: what was heard is finished, the rest goes on elsewhere."""

from contextlib import AsyncExitStack

import grpc
import pytest
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex_runtime.adapters.embedded.ports import free_port
from cortex_runtime.failures import CannotStart
from cortex_testkit.environment import settings_from
from cortex_testkit.refusals import refusal_of
from cortex_transcriber.settings import TranscriberSettings
from cortex_transcriber.wiring import transcriber_service

from services.transcriber.tests.integration.rooms import Bot, Neighbours

pytestmark = pytest.mark.integration


async def test_a_drained_stream_goes_on_at_another_replica(
    environment: dict[str, str], project_session: tuple[str, str], reading: list[bytes]
) -> None:
    """Utterances that ended are stored here; the one that goes on is cut there as it would have been here."""
    settings = settings_from(TranscriberSettings, environment)
    async with AsyncExitStack() as first:
        listening = await first.enter_async_context(transcriber_service(settings))
        bot = Bot(listening.address)
        await bot.open(*project_session)
        await bot.join()
        await bot.hear(reading[:143])
        await bot.until("final")
        await first.aclose()
        await bot.closed()
        assert bot.of("draining")
        watermark, texts = bot.acknowledged + 1, bot.texts
        await bot.close()
    async with transcriber_service(settings) as listening:
        bot = Bot(listening.address)
        await bot.open(*project_session)
        needed = await bot.join(resume_from=watermark)
        await bot.hear(reading[needed:], first=needed)
        await bot.say(end=pb.End())
        await bot.closed()
        resumed = [*texts, *bot.texts]
        await bot.close()
        undisturbed = Bot(listening.address)
        await undisturbed.open(*project_session)
        await undisturbed.join(peer_id="peer-2")
        await undisturbed.hear(reading)
        await undisturbed.say(end=pb.End())
        await undisturbed.closed()
        await undisturbed.close()
    assert resumed == undisturbed.texts


async def test_a_full_replica_says_when_to_come_back(
    environment: dict[str, str], around: Neighbours, project: str
) -> None:
    """Bots go to another replica; what is carried is not disturbed."""
    settings = settings_from(TranscriberSettings, {**environment, "CORTEX_STREAMS_MOST": "1"})
    async with transcriber_service(settings) as listening:
        one, more = Bot(listening.address), Bot(listening.address)
        await one.open(project, around.session(project))
        await one.until("opened")
        await more.open(project, around.session(project))
        refusal = await refusal_of(more.closed())
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "REPLICA_FULL")
        await one.join()
        await one.close()
        await more.close()


async def test_without_the_session_service_no_stream_opens(
    environment: dict[str, str], project_session: tuple[str, str]
) -> None:
    """Nobody can say whether the session takes audio; the bot tries again."""
    settings = settings_from(TranscriberSettings, {**environment, "CORTEX_SESSION_ADDRESS": f"127.0.0.1:{free_port()}"})
    async with transcriber_service(settings) as listening:
        bot = Bot(listening.address)
        await bot.open(*project_session)
        assert (await refusal_of(bot.closed())).code is grpc.StatusCode.UNAVAILABLE
        await bot.close()


async def test_without_its_model_it_does_not_start(environment: dict[str, str]) -> None:
    """The error says what to run."""
    wrong = {**environment, "CORTEX_MODEL_RECOGNISER": "model", "CORTEX_MODEL_DIR": "nowhere"}
    with pytest.raises(CannotStart, match="CORTEX_MODEL_DIR"):
        async with transcriber_service(settings_from(TranscriberSettings, wrong)):
            pass
