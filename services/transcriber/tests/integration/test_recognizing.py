"""Whole recordings on the running service: the words of a stream, clear refusals, and nobody else disturbed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import numpy as np
import pytest
import pytest_asyncio
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex.transcriber.v1.transcriber_service_pb2_grpc import TranscriberServiceStub
from cortex_eventing.times import length_of
from cortex_testkit.refusals import Refusal, refusal_of
from cortex_transcriber.recordings.limits import AT_ONCE, LARGEST_BYTES, MIB
from cortex_transcriber.speech.decoding import Pcm

from services.transcriber.tests.integration.conftest import Events, NewBot
from services.transcriber.tests.integration.rooms import FRAME_MS
from services.transcriber.tests.recorded import flac, ogg_opus, wav, without_total

pytestmark = pytest.mark.integration

INVALID = grpc.StatusCode.INVALID_ARGUMENT
RATE = 16_000

Make = Callable[[Pcm], bytes]
Streamed = Callable[[str], Awaitable[list[str]]]


@pytest_asyncio.fixture
async def transcriber(address: str) -> AsyncIterator[TranscriberServiceStub]:
    """The service."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield TranscriberServiceStub(channel)


@pytest.fixture
def spoken(reading: list[bytes]) -> Pcm:
    """The reading as one recording."""
    return np.frombuffer(b"".join(reading), dtype="<i2")


def noise(seconds: float) -> Pcm:
    """What is loud, and no speech."""
    return np.random.default_rng(5).normal(scale=3_000, size=int(seconds * RATE)).astype(np.int16)


async def refused(call: Awaitable[object]) -> Refusal:
    return await refusal_of(call)


@pytest.fixture
def streamed(new_bot: NewBot, project_session: tuple[str, str], reading: list[bytes]) -> Streamed:
    """The texts of the reading on a bot's stream, as a peer of that id."""

    async def stream(peer_id: str) -> list[str]:
        async with new_bot() as bot:
            await bot.open(*project_session)
            await bot.join(peer_id=peer_id)
            await bot.hear(reading)
            await bot.say(end=pb.End())
            await bot.closed()
            return bot.texts

    return stream


class WhenHearing:
    @pytest.mark.parametrize("make", [wav, flac])
    async def test_a_recording_has_the_words_of_its_stream(
        self, transcriber: TranscriberServiceStub, project: str, streamed: Streamed, spoken: Pcm, make: Make
    ) -> None:
        """The same cuts and the same words as a bot's stream of the same audio, with their times."""
        answer = await transcriber.Recognize(pb.RecognizeRequest(project_id=project, audio=make(spoken)))
        assert [said.text for said in answer.utterances] == await streamed("ada")
        assert length_of(answer.duration).total_seconds() == len(spoken) / RATE
        assert answer.model == "scripted"
        for said in answer.utterances:
            first, last = (int(number) for number in said.text.partition(":")[2].split("-"))
            assert length_of(said.start_offset).total_seconds() == pytest.approx(first * FRAME_MS / 1_000)
            assert length_of(said.end_offset).total_seconds() == pytest.approx((last + 1) * FRAME_MS / 1_000)
            assert said.confidence == 1.0
            assert [(word.text, word.start_offset) for word in said.words] == [(said.text, said.start_offset)]

    async def test_nothing_is_stored(
        self, transcriber: TranscriberServiceStub, project: str, spoken: Pcm, events: Events
    ) -> None:
        """A recording leaves no event behind."""
        assert (await transcriber.Recognize(pb.RecognizeRequest(project_id=project, audio=wav(spoken)))).utterances
        assert await events() == []

    async def test_streams_are_heard_meanwhile(
        self, transcriber: TranscriberServiceStub, project: str, streamed: Streamed
    ) -> None:
        """Streams that come while as many long recordings are heard as may be have the same words."""
        alone = await streamed("before")
        long = pb.RecognizeRequest(project_id=project, audio=wav(noise(900)))
        calls = [asyncio.ensure_future(transcriber.Recognize(long)) for _ in range(AT_ONCE)]
        try:
            assert await streamed("meanwhile") == alone
        finally:
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)

    async def test_as_many_as_fit_are_heard_at_once(self, transcriber: TranscriberServiceStub, project: str) -> None:
        """One more is told when to come again; once the others are given up there is room."""
        long = pb.RecognizeRequest(project_id=project, audio=wav(noise(900)))
        calls = [asyncio.ensure_future(transcriber.Recognize(long)) for _ in range(AT_ONCE + 1)]
        done, waiting = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        refusal = await refused(done.pop())
        for call in waiting:
            call.cancel()
        await asyncio.wait(calls)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RECORDINGS_BUSY")
        short = pb.RecognizeRequest(project_id=project, audio=wav(noise(0.1)))
        async with asyncio.timeout(20):
            while True:
                try:
                    answer = await transcriber.Recognize(short)
                    break
                except grpc.aio.AioRpcError as error:
                    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED  # noqa: PT017 - the place is freed soon
        assert not answer.utterances


class WhenRefusing:
    @pytest.mark.parametrize(
        ("audio", "reason"),
        [
            (b"", "RECORDING_REFUSED"),
            (b"\xff\xfb\x90\x00" * 100, "RECORDING_FORMAT"),
            (wav(noise(1), promised=1_000_000), "RECORDING_CUT_OFF"),
            (wav(noise(1), rate=1), "RECORDING_REFUSED"),
            (wav(noise(1), channels=6), "RECORDING_REFUSED"),
            (ogg_opus(noise(3))[:-100], "RECORDING_CUT_OFF"),
            (flac(noise(3))[:-20_000], "RECORDING_DAMAGED"),
            (without_total(flac(np.zeros(RATE * 1_900, dtype=np.int16))), "RECORDING_TOO_LONG"),
            (bytes(LARGEST_BYTES + 1), "RECORDING_TOO_LARGE"),
        ],
        ids=["empty", "mp3", "lying-length", "lying-rate", "channels", "ogg", "flac", "bomb", "large"],
    )
    async def test_hostile_files_are_refused(
        self, transcriber: TranscriberServiceStub, project: str, audio: bytes, reason: str
    ) -> None:
        """Each is told the field and the rule, and the service goes on."""
        refusal = await refused(transcriber.Recognize(pb.RecognizeRequest(project_id=project, audio=audio)))
        assert (refusal.code, refusal.reason) == (INVALID, reason)
        assert refusal.fields == ("audio",)

    async def test_what_is_far_too_large_is_never_read(self, transcriber: TranscriberServiceStub, project: str) -> None:
        """Beyond the slack gRPC itself refuses."""
        request = pb.RecognizeRequest(project_id=project, audio=bytes(LARGEST_BYTES + 2 * MIB))
        assert (await refused(transcriber.Recognize(request))).code is grpc.StatusCode.RESOURCE_EXHAUSTED

    @pytest.mark.parametrize(
        ("change", "code", "field"),
        [
            ({"project_id": "x"}, INVALID, "project_id"),
            ({"project_id": ""}, INVALID, "project_id"),
            ({"model": "m" * 257}, INVALID, "model"),
        ],
    )
    async def test_fields_are_checked(
        self,
        transcriber: TranscriberServiceStub,
        project: str,
        change: dict[str, str],
        code: grpc.StatusCode,
        field: str,
    ) -> None:
        """Project and model are checked as everywhere."""
        request = pb.RecognizeRequest(**{"project_id": project, "audio": wav(noise(0.1)), **change})
        refusal = await refused(transcriber.Recognize(request))
        assert refusal.code is code
        assert refusal.fields == (field,)

    async def test_an_unknown_model_is_not_found(self, transcriber: TranscriberServiceStub, project: str) -> None:
        """A model that is not loaded is told from a file that is wrong."""
        request = pb.RecognizeRequest(project_id=project, audio=wav(noise(0.1)), model="other")
        refusal = await refused(transcriber.Recognize(request))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND")


class WhenListingModels:
    async def test_what_is_loaded_is_listed(self, transcriber: TranscriberServiceStub, project: str) -> None:
        """Name, language, family and rate of the one model."""
        answer = await transcriber.ListModels(pb.ListModelsRequest(project_id=project, page_size=1))
        assert list(answer.models) == [pb.Model(name="scripted", language="en", family="scripted", sample_rate=RATE)]
        assert answer.next_page_token == ""

    async def test_tokens_of_others_are_refused(self, transcriber: TranscriberServiceStub, project: str) -> None:
        """A page token is one of ours or refused."""
        request = pb.ListModelsRequest(project_id=project, page_token="x")
        refusal = await refused(transcriber.ListModels(request))
        assert (refusal.code, refusal.reason) == (INVALID, "PAGE_TOKEN_INVALID")
