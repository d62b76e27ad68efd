"""The demo's voices through `cortex transcribe`: in its own process and by the real service, the words are the same."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import cortex_client.demo
import pytest
import pytest_asyncio
from cortex_client.demo.meeting import load
from cortex_client.demo.words import WordErrors, word_errors
from cortex_testkit.environment import settings_from
from cortex_transcriber.settings import TranscriberSettings
from cortex_transcriber.wiring import transcriber_service

pytestmark = pytest.mark.model

BOUND = 0.12
"""Word errors of one speaker, as the demo allows; the model's own test has all of them."""

SPEAKER = 0
"""One is enough to show that both ways are the same, and each is heard twice."""

VOICES = Path(cortex_client.demo.__file__).parent


@pytest_asyncio.fixture
async def service(environment: dict[str, str], model_directory: Path) -> AsyncIterator[str]:
    """The transcriber with the shipped model."""
    changed = {**environment, "CORTEX_MODEL_RECOGNISER": "model", "CORTEX_MODEL_DIR": str(model_directory)}
    async with transcriber_service(settings_from(TranscriberSettings, changed)) as listening:
        yield listening.address


async def cortex(*arguments: str | Path) -> list[dict[str, Any]]:
    """The objects that `cortex` writes."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cortex_cli", *map(str, arguments), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return [json.loads(line) for line in out.splitlines()]


def errors(heard: Sequence[dict[str, Any]]) -> WordErrors:
    """Of the one speaker."""
    (file,) = heard
    return word_errors([line.text for line in load().speakers[SPEAKER].lines], [file["text"]])


async def test_both_ways_hear_the_same(service: str, model_directory: Path) -> None:
    """Every utterance has the same words, times and confidence, and nearly every word is right."""
    file = VOICES / f"{load().speakers[SPEAKER].user_id}.opus"
    here = await cortex("transcribe", "--json", "--model-dir", model_directory, file)
    there = await cortex("transcribe", "--json", "--service", service, file)
    assert here == there
    assert errors(here).words > 30
    assert errors(here).rate == errors(there).rate <= BOUND
    (model,) = await cortex("models", "list", "--json", "--service", service)
    assert model == {"name": "moonshine-tiny-en", "language": "en", "family": "moonshine", "sample_rate": 16_000}
