"""When the words of an utterance were said, as it is told."""

from collections.abc import Sequence
from datetime import timedelta

from cortex.transcriber.v1.words_pb2 import TimedWord
from cortex_eventing.times import span

from cortex_transcriber.speech.words import Word


def timed(words: Sequence[Word], start: timedelta, end: timedelta) -> list[TimedWord]:
    """The words of an utterance from `start` to `end`, counted from where these are counted; none begins later."""
    return [
        TimedWord(
            text=word.text,
            start_offset=span(min(start + timedelta(seconds=word.start), end)),
            confidence=word.confidence,
        )
        for word in words
    ]
