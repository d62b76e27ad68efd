"""What the fault tests share: one installation, mended before each test, and what it hears when nothing is killed."""

from collections.abc import AsyncIterator

import pytest
from cortex_testkit.servers import chosen_servers

from tests.faults.checked_speech import Expected
from tests.faults.installation import Installation, installation
from tests.faults.speech import voices
from tests.faults.verdict import Trial, heard_in_calm


@pytest.fixture(scope="session")
async def shared_installation(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """The three services on PostgreSQL and NATS of their own."""
    if chosen_servers() != "embedded":
        pytest.skip("only servers of our own may be killed: CORTEX_TEST_SERVERS=embedded")
    async with installation(tmp_path_factory.mktemp("services")) as installed:
        yield installed


@pytest.fixture(scope="session")
async def calm(shared_installation: Installation) -> Expected:
    """What an uninterrupted run hears of each speaker."""
    return await heard_in_calm(shared_installation, voices())


@pytest.fixture
async def installed(shared_installation: Installation) -> Installation:
    """The installation, running, whatever an earlier test left of it."""
    await shared_installation.mend()
    return shared_installation


@pytest.fixture
def trial(installed: Installation, calm: Expected) -> Trial:
    """Traffic to be put around a fault."""
    return Trial(installed, voices(), calm)
