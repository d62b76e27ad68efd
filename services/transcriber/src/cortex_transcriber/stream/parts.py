"""What all streams of a process work with."""

from collections.abc import Callable
from dataclasses import dataclass

from google.rpc.status_pb2 import Status

from cortex_transcriber.loaded_models import LoadedModels
from cortex_transcriber.speech.decoding import Decoder
from cortex_transcriber.speech.frames import AudioFormat
from cortex_transcriber.speech.segmenting import Segmenting
from cortex_transcriber.stream.hearing import Hearing
from cortex_transcriber.stream.limits import Limits
from cortex_transcriber.stream.open_streams import OpenStreams
from cortex_transcriber.stream.ports import Identities, LiveTexts, Presence, Sessions, Speakers


@dataclass(frozen=True)
class Parts:
    """The wiring's choice of everything that a stream needs.

    Attributes:
        new_decoder: a decoder for one peer's frames.
        segmenting: how speech is cut on streams that ask for nothing else.
        now: what time it is, by this process's clock: seconds since 1970, which cost nothing to look at.
        new_holder: an id that stands for one peer on one stream.
        status_of: how an error is told to a bot.
    """

    sessions: Sessions
    identities: Identities
    speakers: Speakers
    presence: Presence
    models: LoadedModels
    live: LiveTexts
    hearing: Hearing
    open_streams: OpenStreams
    new_decoder: Callable[[AudioFormat], Decoder]
    segmenting: Segmenting
    now: Callable[[], float]
    new_holder: Callable[[], str]
    status_of: Callable[[Exception], Status]
    limits: Limits
