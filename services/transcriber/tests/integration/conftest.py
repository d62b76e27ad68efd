"""The transcriber as one process runs it, on real servers, between neighbours that the tests play."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from cortex.common.v1.feed_pb2 import ReadEventsRequest
from cortex.transcriber.v1.transcriber_service_pb2_grpc import TranscriberServiceStub
from cortex_runtime.adapters.embedded.servers import service_environment
from cortex_runtime.database import DatabaseAccess
from cortex_testkit.environment import settings_from
from cortex_testkit.streams import no_streams_left
from cortex_transcriber.domain.speaker import SPEAKER_EVENTS, SpeakerEvent
from cortex_transcriber.settings import TranscriberSettings
from cortex_transcriber.wiring import MIGRATIONS, transcriber_service
from grpc.aio import insecure_channel

from services.transcriber.tests.hearing import read_wav
from services.transcriber.tests.integration.rooms import Bot, Neighbours, marked, neighbours

CLAIM_KEY = "0123456789abcdef0123456789abcdef"
SPEAKER = 7

CLASSES = {each.DESCRIPTOR.full_name: each for each in SPEAKER_EVENTS}

Events = Callable[[], Awaitable[list[SpeakerEvent]]]
NewBot = Callable[[], AbstractAsyncContextManager[Bot]]


@pytest.fixture(scope="session")
def migrations() -> tuple[str, ...]:
    """What the transcriber's database consists of."""
    return MIGRATIONS


@pytest.fixture(scope="module")
async def around() -> AsyncIterator[Neighbours]:
    """The session and the identity service."""
    async with neighbours() as played:
        yield played


@pytest.fixture(scope="module")
async def environment(
    module_database: DatabaseAccess, shared_nats_url: str, around: Neighbours
) -> AsyncIterator[dict[str, str]]:
    """What the transcriber reads from the environment, in the tests of a module."""
    async with no_streams_left(shared_nats_url) as nats_url:
        yield {
            **service_environment(module_database, nats_url, CLAIM_KEY),
            "CORTEX_GRPC_GRACE": "5",
            "CORTEX_SESSION_ADDRESS": around.address,
            "CORTEX_IDENTITY_ADDRESS": around.address,
            "CORTEX_MODEL_RECOGNISER": "scripted",
            "CORTEX_MODEL_WORKERS": "1",
            "CORTEX_MODEL_MEASURE": "false",
        }


@pytest.fixture(scope="module")
async def address(environment: dict[str, str]) -> AsyncIterator[str]:
    """Where the running service listens."""
    async with transcriber_service(settings_from(TranscriberSettings, environment)) as listening:
        yield listening.address


@pytest.fixture
def new_bot(address: str) -> NewBot:
    """Makes bots."""

    @asynccontextmanager
    async def made() -> AsyncIterator[Bot]:
        bot = Bot(address)
        try:
            yield bot
        finally:
            await bot.close()

    return made


@pytest.fixture
async def bot(new_bot: NewBot) -> AsyncIterator[Bot]:
    """One bot."""
    async with new_bot() as made:
        yield made


@pytest.fixture
def project() -> str:
    """A project that nobody else has."""
    return str(uuid.uuid4())


@pytest.fixture
def session(around: Neighbours, project: str) -> str:
    """A session of the project that takes audio."""
    return around.session(project)


@pytest.fixture
def project_session(project: str, session: str) -> tuple[str, str]:
    """Both at once."""
    return project, session


@pytest.fixture
def events(address: str, project: str) -> Events:
    """Reads the project's events, as the feed gives them."""

    async def read() -> list[SpeakerEvent]:
        request = ReadEventsRequest(project_id=project, page_size=1000)
        async with insecure_channel(address) as channel:
            page = await TranscriberServiceStub(channel).ReadEvents(request)
        return [CLASSES[event.topic].FromString(event.data) for event in page.events]

    return read


@pytest.fixture(scope="session")
def reading(recordings: Path) -> list[bytes]:
    """A human reading of ten seconds in frames that the scripted recogniser can tell apart."""
    _, pcm = read_wav(recordings / "beckett.wav")
    return marked(pcm, SPEAKER)
