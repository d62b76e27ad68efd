"""Measure a model on speech under many conditions, and write its page: `python -m scripts.speech [DIRECTORY]`."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog
from cortex_transcriber.adapters.model_directory import load_recogniser
from cortex_transcriber.adapters.silero import load_silero
from cortex_transcriber.settings import SHIPPED_MODEL
from cortex_transcriber.shipped_model import RECORDINGS_FOLDER
from cortex_transcriber.speech.recogniser import Recogniser

from scripts.speech import service
from scripts.speech.conditions import CLEAN, CONDITIONS, DRAWS, MIXED, Condition, noisy
from scripts.speech.measuring import Bench, measure, service_alone
from scripts.speech.not_speech import Ears, Opinion, groups
from scripts.speech.page import page
from scripts.speech.picture import svg
from scripts.speech.results import Results, SourceRows
from scripts.speech.voices import Source, sources

DOCS = Path(__file__).resolve().parents[2] / "docs"
ENDPOINTS_MS = (300, 500, 800, 1_200)
PAUSED = (CLEAN, Condition("white noise, 10 dB", noisy(10), draws=DRAWS))
"""The conditions under which other endpoints are tried."""


async def results_of(directory: Path) -> Results:
    """Measure everything, one thing at a time."""
    recogniser = await asyncio.to_thread(load_recogniser, directory)
    heard = sources(SHIPPED_MODEL / RECORDINGS_FOLDER)
    ears = Ears(recogniser, load_silero())
    everybody = [voice for source in heard for voice in source.voices]
    async with service.running(directory) as running:
        bench = Bench(recogniser, running, everybody)
        rows = [await _source(source, bench) for source in heard]
        told = await groups(ears, running, everybody)
    return Results(recogniser.name, rows, await _endpoints(directory, recogniser, heard), told, _speech(ears, heard))


async def _source(source: Source, bench: Bench) -> SourceRows:
    rows = []
    for condition in (*CONDITIONS, MIXED):
        rows.append(await measure(source, condition, bench))
        _progress(f"{source.name}: {rows[-1].condition}: {rows[-1].bare.rate:.3f} {rows[-1].service.rate:.3f}")
    words = {voice.name: len(voice.said.split()) for voice in source.voices}
    return SourceRows(source.name, words, rows[:-1], rows[-1])


async def _endpoints(
    directory: Path, recogniser: Recogniser, heard: Sequence[Source]
) -> Mapping[int, Mapping[str, float]]:
    everybody = [voice for source in heard for voice in source.voices]
    rates: dict[int, dict[str, float]] = {}
    for endpoint_ms in ENDPOINTS_MS:
        async with service.running(directory, endpoint_ms) as running:
            bench = Bench(recogniser, running, everybody)
            rates[endpoint_ms] = {
                f"{source.name}, {condition.name}": (await service_alone(source, condition, bench)).rate
                for source in heard
                for condition in PAUSED
            }
        _progress(f"endpoint {endpoint_ms} ms")
    return rates


def _speech(ears: Ears, heard: Sequence[Source]) -> Mapping[str, Sequence[Opinion]]:
    """What detector and model think of everything that is speech."""
    everybody = [voice for source in heard for voice in source.voices]
    opinions: dict[str, list[Opinion]] = {}
    for condition in CONDITIONS:
        for voice in everybody if not condition.together else ():
            others = [other for other in everybody if other is not voice]
            opinions.setdefault(condition.name, []).extend(ears.opinions(condition.sent(voice, others, 0)))
    return opinions


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.speech", description=__doc__)
    parser.add_argument("directory", type=Path, nargs="?", default=SHIPPED_MODEL, help="default: the shipped model")
    parser.add_argument("--out", type=Path, help="default: docs/speech.md; of another model speech-NAME.md, here")
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    results = asyncio.run(results_of(given.directory))
    shipped = given.directory.resolve() == SHIPPED_MODEL.resolve()
    out = given.out or (DOCS / "speech.md" if shipped else Path(f"speech-{results.model}.md"))
    out.write_text(page(results, out.with_suffix(".svg").name))
    out.with_suffix(".svg").write_text(svg(results))
    _progress(f"written: {out}")


if __name__ == "__main__":
    main()
