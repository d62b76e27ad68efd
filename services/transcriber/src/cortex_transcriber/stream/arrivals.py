"""What a peer's introduction says, checked: who it claims to be, how its audio is written and numbered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cortex.common.v1 import audio_pb2
from cortex.transcriber.v1.transcriber_service_pb2 import PeerJoined
from cortex_eventing.errors import InvalidInput
from cortex_eventing.times import length_of, time_of

from cortex_transcriber.domain.numbering import Numbering
from cortex_transcriber.speech.frames import AudioFormat, AudioRefused, Encoding

MILLISECOND: Final = timedelta(milliseconds=1)

ODDEST_CLOCK: Final = timedelta(days=366)
"""Numbering that begins further from the session's beginning comes from a broken clock, and would date speech by it."""

ENCODINGS: Final = {
    audio_pb2.ENCODING_PCM_S16LE: Encoding.PCM_S16LE,
    audio_pb2.ENCODING_PCM_F32LE: Encoding.PCM_F32LE,
    audio_pb2.ENCODING_MULAW: Encoding.MULAW,
    audio_pb2.ENCODING_ALAW: Encoding.ALAW,
    audio_pb2.ENCODING_OPUS: Encoding.OPUS,
}


@dataclass(frozen=True)
class Arrival:
    """A peer that wants to be heard.

    Attributes:
        handle: the bot's number for it on this stream.
        user_id: the external user id that it claims, or an empty string.
        resume_from: the first sequence number that the bot holds.
    """

    handle: int
    peer_id: str
    user_id: str
    audio: AudioFormat
    numbering: Numbering
    resume_from: int


def arrival_of(joined: PeerJoined, default: audio_pb2.AudioFormat | None, session_zero_at: datetime) -> Arrival:
    """What an introduction says; the message's own rules hold already.

    Raises:
        InvalidInput: no format, one that cannot be heard, or a numbering that begins far from the session.
    """
    written = joined.format if joined.HasField("format") else default
    if written is None:
        raise InvalidInput("peer_joined.format must be given: the stream has no default", field="peer_joined.format")
    zero_at = time_of(joined.sequence_zero_at)
    if abs(zero_at - session_zero_at) > ODDEST_CLOCK:
        field = "peer_joined.sequence_zero_at"
        raise InvalidInput(f"{field} must be within {ODDEST_CLOCK.days} days of the session's creation", field=field)
    numbering = Numbering(zero_at, length_of(written.frame_duration))
    audio = audio_of(written, "peer_joined.format")
    return Arrival(joined.peer, joined.peer_id, joined.user_id, audio, numbering, joined.resume_from)


def audio_of(written: audio_pb2.AudioFormat, field: str) -> AudioFormat:
    """How frames are written.

    Raises:
        InvalidInput: a format that cannot be heard; `field` is where it stands in the request.
    """
    milliseconds, rest = divmod(length_of(written.frame_duration), MILLISECOND)
    if rest:
        raise InvalidInput(f"{field}.frame_duration must be whole milliseconds", field=f"{field}.frame_duration")
    try:
        return AudioFormat(written.sample_rate, milliseconds, ENCODINGS[written.encoding], written.channels or 1)
    except AudioRefused as refused:
        raise InvalidInput(f"{field}.{refused.field} {refused.rule}", field=f"{field}.{refused.field}") from refused
