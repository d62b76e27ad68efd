"""What the fault tests share: one installation, whole before each test, and what it hears when nothing is killed."""

import os
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
from cortex_testkit.servers import chosen_servers
from cortex_transcriber.shipped_model import MANIFEST

from tests.faults.checked_speech import Expected
from tests.faults.installation import Installation
from tests.faults.speech import voices
from tests.faults.stage import Stage
from tests.faults.verdict import Trial, heard_in_calm

FAILED = pytest.StashKey[bool]()
"""Whether a fault test has failed since the installation was started."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note that a test failed, whatever it left behind."""
    report = yield
    if report.failed:
        item.config.stash[FAILED] = True
    return report


@pytest.fixture(scope="session")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The three services on PostgreSQL and NATS of their own."""
    if chosen_servers() != "embedded":
        pytest.skip("only servers of our own may be killed: CORTEX_TEST_SERVERS=embedded")
    stage = Stage(lambda: tmp_path_factory.mktemp("services"))
    yield stage
    await stage.clear()


@pytest.fixture(scope="session")
async def calm(stage: Stage) -> Expected:
    """What an uninterrupted run hears of each speaker."""
    return await heard_in_calm(await stage.set(), voices())


@pytest.fixture
async def installed(stage: Stage, pytestconfig: pytest.Config) -> Installation:
    """The installation, running, whatever an earlier test left of it; another one if that test failed."""
    if pytestconfig.stash.get(FAILED, False):
        await stage.clear()
        pytestconfig.stash[FAILED] = False
    return await stage.set()


@pytest.fixture
def trial(installed: Installation, calm: Expected) -> Trial:
    """Traffic to be put around a fault."""
    return Trial(installed, voices(), calm)


@pytest.fixture(scope="session")
def model_directory(pytestconfig: pytest.Config) -> Path:
    """Where the set-up put the shipped model."""
    named = os.environ.get("CORTEX_MODEL_DIR")
    return Path(named) if named else pytestconfig.rootpath / ".cache" / "models" / MANIFEST.name
