"""The page: tables, and beside them what they were measured on and how."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cortex_transcriber.shipped_model import MANIFEST
from cortex_transcriber.speech import plausibility

from scripts.speech.conditions import DRAWS
from scripts.speech.measuring import ALLOWED, Row, total
from scripts.speech.not_speech import Group, Opinion
from scripts.speech.results import Results, SourceRows

MADE = (
    "Made by `make speech`; the figures follow from the model, the recordings and fixed seeds. Another model's page:"
    " `.venv/bin/python -m scripts.speech DIRECTORY`."
)
FINDINGS = Path(__file__).with_name("findings.md")
"""What the figures of the shipped model say; another model's are for its owner to judge."""

METHOD = Path(__file__).with_name("method.md")


def page(results: Results, picture: str) -> str:
    """The page as Markdown."""
    lines = [
        f"# How well speech is understood: {results.model}",
        "",
        MADE,
        "",
        *_verdict(results),
        "",
        f"![Word error rate by condition, bare and through the service]({picture})",
        *(line for source in results.sources for line in _source(source)),
        *_mixed(results.sources),
        *(("", FINDINGS.read_text().rstrip()) if results.model == MANIFEST.name else ()),
        "",
        METHOD.read_text().format(draws=DRAWS).rstrip(),
        *_endpoints(results),
        *_not_speech(results.groups),
        *_margins(results),
    ]
    return "\n".join(lines) + "\n"


def _verdict(results: Results) -> Iterator[str]:
    rows = [(source.name, row) for source in results.sources for row in source.rows]
    every = total([row for _, row in rows])
    worse = [(name, row) for name, row in rows if row.difference > ALLOWED]
    holds = "It does" if every.difference <= ALLOWED else "It does not"
    yield (
        f"The way through the service may cost at most half a point of word error rate. {holds} over all conditions:"
        f" bare {_percent(every.bare.rate)} %, through the service {_percent(every.service.rate)} %, a difference of"
        f" {every.difference:+.1f} points on {every.bare.words:,} words."
    )
    yield ""
    if not worse:
        yield "It holds in every single row, too."
        return
    yield f"In {len(rows) - len(worse)} of {len(rows)} rows it holds by itself. It does not in:"
    yield ""
    for name, row in worse:
        extra = row.service.errors - row.bare.errors
        yield f"- {name}, {row.condition}: {row.difference:+.1f} points, {extra} of {row.bare.words} words"


def _source(source: SourceRows) -> Iterator[str]:
    said = ", ".join(f"{name} ({words})" for name, words in source.voices.items())
    yield from ("", f"## {source.name}", "", f"Voices, and their words: {said}. Word error rates in percent.", "")
    yield "| condition | words | bare | service | difference |"
    yield "|---|--:|--:|--:|--:|"
    yield from map(_row, source.rows)
    yield _row(source.total, mark="**")


def _mixed(sources: Sequence[SourceRows]) -> Iterator[str]:
    yield from ("", "## Two voices on one track", "")
    yield (
        "Another voice, equally loud and without a pause, on the speaker's own track; counted against the words of the"
        " speaker. No model of this kind can tell two voices apart, which is why bots send each speaker on a track of"
        " their own."
    )
    yield from ("", "| source | words | bare | service | difference |", "|---|--:|--:|--:|--:|")
    for source in sources:
        yield _row(Row(source.name, source.mixed.bare, source.mixed.service))


def _row(row: Row, mark: str = "") -> str:
    figures = (_percent(row.bare.rate), _percent(row.service.rate), f"{row.difference:+.1f}")
    cells = (row.condition, f"{row.bare.words:,}", *figures)
    return "| " + " | ".join(f"{mark}{cell}{mark}" for cell in cells) + " |"


def _endpoints(results: Results) -> Iterator[str]:
    yield from ("", "## The silence that ends an utterance", "")
    yield (
        "Through the service, with other settings of `CORTEX_SPEECH_ENDPOINT_MS` (as shipped: 500). Longer utterances"
        " tell a model more of what the words are about; every millisecond of it is waited for after each utterance."
    )
    names = list(next(iter(results.endpoints.values())))
    yield from ("", f"| milliseconds | {' | '.join(names)} |", "|--:|" + "--:|" * len(names))
    for endpoint_ms, rates in results.endpoints.items():
        yield f"| {endpoint_ms:,} | " + " | ".join(_percent(rates[name]) for name in names) + " |"


def _not_speech(groups: Sequence[Group]) -> Iterator[str]:
    yield from ("", "## What is not speech", "")
    yield (
        "Sounds that nobody says anything in, through the service, and how often the model alone makes words of them."
        " *Segments* are what the voice detector lets through to the model; *highest* is the detector's highest"
        " probability in any of them, *confidence* the model's highest. Babble is speech, of eight at once."
    )
    yield from (
        "",
        "| sounds | tracks | seconds | words by the model alone | segments | highest | confidence | utterances |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    )
    for group in groups:
        highest = _extreme(max, [opinion.highest for opinion in group.opinions])
        confidence = _extreme(max, [opinion.confidence for opinion in group.opinions])
        yield (
            f"| {group.name} | {group.tracks} | {group.seconds:.0f} | {group.model_alone} | {len(group.opinions)}"
            f" | {highest} | {confidence} | {group.utterances} |"
        )


def _margins(results: Results) -> Iterator[str]:
    yield from ("", "## What speech looks like to the same thresholds", "")
    yield (
        f"A segment is not believed below {plausibility.DETECTOR_IN_DOUBT} of the detector or"
        f" {plausibility.MODEL_LOST} of the model, nor below {plausibility.DETECTOR_SURE} of the detector unless the"
        f" model is sure ({plausibility.MODEL_SURE}). The lowest figures of segments that *are* speech, all voices:"
    )
    yield from (
        "",
        "| condition | segments | lowest of detector | lowest confidence | not believed |",
        "|---|--:|--:|--:|--:|",
    )
    for name, opinions in results.speech.items():
        yield _margin(name, opinions)


def _margin(name: str, opinions: Sequence[Opinion]) -> str:
    lowest = _extreme(min, [opinion.highest for opinion in opinions])
    confidence = _extreme(min, [opinion.confidence for opinion in opinions])
    refused = sum(not opinion.believed for opinion in opinions)
    return f"| {name} | {len(opinions)} | {lowest} | {confidence} | {refused} |"


def _extreme(which: Callable[[Sequence[float]], float], values: Sequence[float]) -> str:
    return f"{which(values):.2f}" if values else "–"


def _percent(rate: float) -> str:
    return f"{100 * rate:.1f}"
