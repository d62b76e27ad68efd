"""`docs/speech.md` tells what is the case: its headline rows, measured again."""

import re
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cortex_testkit.environment import settings_from
from cortex_transcriber.settings import TranscriberSettings
from cortex_transcriber.speech.recogniser import Recogniser
from cortex_transcriber.wiring import transcriber_service

from scripts.speech.conditions import CLEAN, CONDITIONS
from scripts.speech.measuring import ALLOWED, Bench, Row, measure, total
from scripts.speech.service import Service
from scripts.speech.voices import Source, sources
from services.transcriber.tests.integration.rooms import Neighbours

pytestmark = pytest.mark.model

CLOSE = 2.0
"""Points that a rate may be away from the page's: other processors round otherwise, a word is 0.7 points."""

ROW = re.compile(
    r"^\| (?P<condition>[^|*]+) \| (?P<words>[\d,]+) \| (?P<bare>[\d.]+) \| (?P<service>[\d.]+) \|", re.MULTILINE
)

Figures = dict[str, tuple[int, float, float]]


@pytest.fixture(scope="module")
def page(pytestconfig: pytest.Config) -> str:
    """The whole page."""
    return (pytestconfig.rootpath / "docs" / "speech.md").read_text()


@pytest_asyncio.fixture
async def service(environment: dict[str, str], around: Neighbours, model_directory: Path) -> AsyncIterator[Service]:
    """The transcriber with the shipped model."""
    changed = {**environment, "CORTEX_MODEL_RECOGNISER": "model", "CORTEX_MODEL_DIR": str(model_directory)}
    changed["CORTEX_SPEECH_INTERIM_MS"] = "0"

    def new_session() -> tuple[str, str]:
        project = str(uuid.uuid4())
        return project, around.session(project)

    async with transcriber_service(settings_from(TranscriberSettings, changed)) as listening:
        yield Service(listening.address, new_session)


def rows(page: str, source: str) -> Figures:
    """The table of a source: words, and both rates in percent, by condition."""
    table = page.split(f"## {source}\n")[1].split("\n## ", maxsplit=1)[0]
    return {
        found["condition"]: (int(found["words"].replace(",", "")), float(found["bare"]), float(found["service"]))
        for found in ROW.finditer(table)
    }


def assert_still_true(measured: Row, told: tuple[int, float, float]) -> None:
    """The page's figures."""
    words, bare, through = told
    assert measured.bare.words == words
    assert 100 * measured.bare.rate == pytest.approx(bare, abs=CLOSE)
    assert 100 * measured.service.rate == pytest.approx(through, abs=CLOSE)


async def test_clean_speech_is_heard_as_the_page_says(
    page: str, recordings: Path, recogniser: Recogniser, service: Service
) -> None:
    """Human and rendered voices, by the bare recogniser and through the service, which costs no more than it may."""
    heard = sources(recordings)
    bench = Bench(recogniser, service, [voice for source in heard for voice in source.voices])
    measured = [await measure(source, CLEAN, bench) for source in heard]
    for source, row in zip(heard, measured, strict=True):
        assert_still_true(row, rows(page, source.name)[CLEAN.name])
    assert total(measured).difference <= ALLOWED


async def test_opus_is_heard_as_the_page_says(
    page: str, recordings: Path, recogniser: Recogniser, service: Service
) -> None:
    """What most voice chats send: the rendered voices at 16 kbit/s."""
    heard = sources(recordings)[1]
    (opus,) = [condition for condition in CONDITIONS if condition.name == "Opus, 16 kbit/s"]
    measured = await measure(heard, opus, Bench(recogniser, service, heard.voices))
    assert_still_true(measured, rows(page, heard.name)[opus.name])


def test_every_condition_has_its_row(page: str, recordings: Path) -> None:
    """A condition that was added or renamed has the page made anew."""
    heard: list[Source] = list(sources(recordings))
    for source in heard:
        assert list(rows(page, source.name)) == [condition.name for condition in CONDITIONS]
