"""What the opening of a stream says beyond the rules of the contract, which hold already."""

from cortex.common.v1.audio_pb2 import AudioFormat
from cortex.transcriber.v1.transcriber_service_pb2 import Open

from cortex_transcriber.stream.arrivals import audio_of


def default_format(opening: Open) -> AudioFormat | None:
    """The format of peers that name none.

    Raises:
        InvalidInput: it cannot be heard.
    """
    if not opening.HasField("default_format"):
        return None
    audio_of(opening.default_format, "open.default_format")
    return opening.default_format
