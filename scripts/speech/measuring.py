"""The rows of the page: each condition by the bare recogniser and through the service."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from cortex_client.demo.words import WordErrors, word_errors
from cortex_transcriber.speech.recogniser import Recogniser

from scripts.speech import bare
from scripts.speech.conditions import Condition, Sent
from scripts.speech.service import Service
from scripts.speech.voices import Source, Voice

NONE = WordErrors(0, 0)
ALLOWED = 0.5
"""Points that the way through the service may cost."""


@dataclass(frozen=True)
class Row:
    """One condition.

    Attributes:
        bare: the words of the bare recogniser.
        service: the words that came through the service.
    """

    condition: str
    bare: WordErrors
    service: WordErrors

    @property
    def difference(self) -> float:
        """Points that the service costs; negative where it is better."""
        return 100 * (self.service.rate - self.bare.rate)


@dataclass(frozen=True)
class Bench:
    """What everything is measured with.

    Attributes:
        everybody: the voices of all sources, who are each other's babble.
    """

    recogniser: Recogniser
    service: Service
    everybody: Sequence[Voice]


async def measure(source: Source, condition: Condition, bench: Bench) -> Row:
    """A source under a condition."""
    bare_errors = service_errors = NONE
    voices = [voice.without_waiting() if condition.together else voice for voice in source.voices]
    for draw in range(condition.draws):
        sent = [condition.sent(voice, _others(voice, source, bench.everybody), draw) for voice in voices]
        alone, through = await asyncio.gather(
            asyncio.to_thread(_bare, bench.recogniser, voices, sent), _through(bench.service, condition, sent)
        )
        bare_errors += _errors(voices, alone)
        service_errors += _errors(voices, through)
    return Row(condition.name, bare_errors, service_errors)


async def service_alone(source: Source, condition: Condition, bench: Bench) -> WordErrors:
    """A source under a condition, through the service only."""
    errors = NONE
    for draw in range(condition.draws):
        sent = [condition.sent(voice, _others(voice, source, bench.everybody), draw) for voice in source.voices]
        errors += _errors(source.voices, await _through(bench.service, condition, sent))
    return errors


def _bare(recogniser: Recogniser, voices: Sequence[Voice], sent: Sequence[Sent]) -> Sequence[str]:
    return [bare.heard(recogniser, track, voice.spoken) for voice, track in zip(voices, sent, strict=True)]


def _errors(voices: Sequence[Voice], texts: Sequence[str]) -> WordErrors:
    return sum((word_errors([voice.said], [text]) for voice, text in zip(voices, texts, strict=True)), NONE)


def total(rows: Sequence[Row]) -> Row:
    """All rows in one."""
    return Row("all of these", sum((row.bare for row in rows), NONE), sum((row.service for row in rows), NONE))


def _others(voice: Voice, source: Source, everybody: Sequence[Voice]) -> Sequence[Voice]:
    """Everybody else, the next one of the same source first."""
    names = [each.name for each in source.voices]
    at = names.index(voice.name) + 1
    order = [*names[at:], *names[:at]]
    others = [each for each in everybody if each.name != voice.name]
    return sorted(others, key=lambda each: order.index(each.name) if each.name in order else len(order))


async def _through(service: Service, condition: Condition, sent: Sequence[Sent]) -> Sequence[str]:
    if condition.together:
        return await service.heard(sent)
    return [text for track in sent for text in await service.heard([track])]
