"""The answers of a stream, from what they tell."""

from datetime import datetime, timedelta

from cortex.transcriber.v1.live_pb2 import LiveInterim
from cortex.transcriber.v1.transcriber_service_pb2 import (
    Acknowledged,
    Draining,
    FinalText,
    InterimText,
    Opened,
    PeerRefused,
    PeerResolved,
    SessionOver,
    StreamAudioResponse,
)
from cortex_eventing.times import span, stamp
from google.rpc.status_pb2 import Status

from cortex_transcriber.domain.commands import HearUtterance, Person
from cortex_transcriber.domain.numbering import Numbering
from cortex_transcriber.domain.words import timed
from cortex_transcriber.stream.limits import Limits


def opened(session_zero_at: datetime, limits: Limits, endpoint_ms: int) -> StreamAudioResponse:
    """The stream is open, and may carry so much; silence of so many milliseconds ends an utterance."""
    return StreamAudioResponse(
        opened=Opened(
            session_zero_at=stamp(session_zero_at),
            max_peers=limits.max_peers,
            max_frame_bytes=limits.max_frame_bytes,
            max_frames=limits.max_frames,
            endpoint_silence=span(timedelta(milliseconds=endpoint_ms)),
        )
    )


def resolved(handle: int, person: Person, wanted: int) -> StreamAudioResponse:
    """It is known who a peer is, and which frame shall come first."""
    return StreamAudioResponse(
        peer_resolved=PeerResolved(
            peer=handle, participant_id=person.participant_id, claim=person.claim, resume_from=wanted
        )
    )


def refused(handle: int, status: Status, *, removed: bool) -> StreamAudioResponse:
    """Something was wrong with a peer."""
    return StreamAudioResponse(peer_refused=PeerRefused(peer=handle, status=status, removed=removed))


def interim(handle: int, live: LiveInterim) -> StreamAudioResponse:
    """What a peer is saying, so far."""
    return StreamAudioResponse(
        interim=InterimText(
            peer=handle, text=live.text, start_offset=live.start_offset, stable_length=live.stable_length
        )
    )


def final(handle: int, heard: HearUtterance, numbering: Numbering, position: int) -> StreamAudioResponse:
    """What a peer said, stored at a position."""
    start = numbering.began(heard.first_sequence) - heard.session_zero_at
    end = numbering.ended(heard.last_sequence) - heard.session_zero_at
    return StreamAudioResponse(
        final=FinalText(
            peer=handle,
            utterance_id=str(heard.speaker.utterance_id(heard.first_sequence)),
            text=heard.text,
            first_sequence=heard.first_sequence,
            last_sequence=heard.last_sequence,
            start_offset=span(start),
            end_offset=span(end),
            confidence=heard.confidence,
            position=position,
            words=timed(heard.words, start, end),
        )
    )


def acknowledged(handle: int, through: int) -> StreamAudioResponse:
    """A peer's audio up to here is accounted for."""
    return StreamAudioResponse(acknowledged=Acknowledged(peer=handle, through_sequence=through))


def draining(reconnect_by: datetime) -> StreamAudioResponse:
    """This server stops."""
    return StreamAudioResponse(draining=Draining(reconnect_by=stamp(reconnect_by)))


def session_over(ended_at: datetime) -> StreamAudioResponse:
    """The session takes no more audio."""
    return StreamAudioResponse(session_over=SessionOver(ended_at=stamp(ended_at)))
