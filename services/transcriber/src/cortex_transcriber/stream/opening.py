"""What the opening of a stream says beyond the rules of the contract, which hold already."""

from dataclasses import replace
from datetime import timedelta

from cortex.common.v1.audio_pb2 import AudioFormat
from cortex.transcriber.v1.transcriber_service_pb2 import Open
from cortex_eventing.errors import InvalidInput
from cortex_eventing.times import length_of

from cortex_transcriber.speech.segmenting import Segmenting
from cortex_transcriber.stream.arrivals import MILLISECOND, audio_of

ENDPOINT = "open.endpoint_silence"


def default_format(opening: Open) -> AudioFormat | None:
    """The format of peers that name none.

    Raises:
        InvalidInput: it cannot be heard.
    """
    if not opening.HasField("default_format"):
        return None
    audio_of(opening.default_format, "open.default_format")
    return opening.default_format


def heartbeat_of(opening: Open) -> timedelta | None:
    """How often the bot promises to be heard from, if it does."""
    return length_of(opening.heartbeat) if opening.HasField("heartbeat") else None


def segmenting_of(opening: Open, usual: Segmenting) -> Segmenting:
    """How speech on this stream is cut.

    Raises:
        InvalidInput: the silence that shall end utterances does not go with the usual settings.
    """
    if not opening.HasField("endpoint_silence"):
        return usual
    milliseconds, rest = divmod(length_of(opening.endpoint_silence), MILLISECOND)
    if rest:
        raise InvalidInput(f"{ENDPOINT} must be whole milliseconds", field=ENDPOINT)
    shortest, longest = usual.endpoints_ms
    if not shortest <= milliseconds <= longest:
        raise InvalidInput(f"{ENDPOINT} must be {shortest} to {longest} ms on this service", field=ENDPOINT)
    return replace(usual, endpoint_ms=milliseconds)
