"""What hearing a recording needs from the outside."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from cortex_transcriber.speech.decoding import Pcm
from cortex_transcriber.speech.events import SegmentReady
from cortex_transcriber.speech.recogniser import Recognised

Recognise = Callable[[SegmentReady], Awaitable[Recognised]]
"""The words of an utterance, none if it was no speech; raises Unrecognisable and Unavailable."""


class Recording(Protocol):
    """A file that is being decoded. Its methods take time: they are called on a thread of their own."""

    @property
    def promised_s(self) -> float | None:
        """How many seconds it says it has; None when it does not say. It may lie."""

    def read(self) -> Pcm | None:
        """The next piece, at most about ten seconds of mono audio at 16 kHz, perhaps nothing; None at the end.

        Raises:
            RecordingRefused: it cannot be decoded any further.
        """


OpenRecording = Callable[[bytes], Recording]
"""Begins to decode a file; raises RecordingRefused."""
