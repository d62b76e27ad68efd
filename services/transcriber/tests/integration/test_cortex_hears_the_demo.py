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

BOUND = 0.08
"""Word errors over all speakers, as in the model's own test."""

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
    """Of all speakers."""
    said = [[line.text for line in speaker.lines] for speaker in load().speakers]
    counted = [word_errors(lines, [each["text"]]) for lines, each in zip(said, heard, strict=True)]
    return sum(counted[1:], start=counted[0])


async def test_both_ways_hear_the_same(service: str, model_directory: Path) -> None:
    """Every utterance has the same words, times and confidence, and nearly every word is right."""
    files = [VOICES / f"{speaker.user_id}.opus" for speaker in load().speakers]
    here = await cortex("transcribe", "--json", "--model-dir", model_directory, *files)
    there = await cortex("transcribe", "--json", "--service", service, *files)
    assert here == there
    assert errors(here).words > 100
    assert errors(here).rate == errors(there).rate <= BOUND
    (model,) = await cortex("models", "list", "--json", "--service", service)
    assert model == {"name": "moonshine-tiny-en", "language": "en", "family": "moonshine", "sample_rate": 16_000}
