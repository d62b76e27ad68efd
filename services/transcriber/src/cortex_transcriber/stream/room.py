"""What each message of a stream means: the bot's words in, what is to be done out. Knows no transport and no time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cortex.common.v1.audio_pb2 import AudioFormat
from cortex.transcriber.v1.transcriber_service_pb2 import Frames, PeerJoined, PeerLeft, StreamAudioRequest
from cortex_eventing.errors import InvalidInput, LimitReached, NotFound, Rejected, WrongState

from cortex_transcriber.stream.arrivals import Arrival, arrival_of
from cortex_transcriber.stream.intake import FramesRefused, Intake, Taken
from cortex_transcriber.stream.limits import Limits
from cortex_transcriber.stream.validity import require_valid

SEAT_RETRY: Final = timedelta(seconds=10)
"""When a full stream may have a place again: somebody has to leave the room first."""


def never(_frames: Frames) -> bool:
    """As long as nobody listens."""
    return False


@dataclass(eq=False)
class Seat:
    """A peer on this stream; the bot's number may be given to another peer once this one is gone.

    Attributes:
        intake: its numbering, once it is known who it is.
        takes_next: takes frames by a short way, if it may; so nearly all frames are taken.
    """

    arrival: Arrival
    intake: Intake | None = None
    takes_next: Callable[[Frames], bool] = never


@dataclass(frozen=True)
class Resolve:
    """Find out who a peer is; its audio may come once that is known."""

    seat: Seat


@dataclass(slots=True)
class Hear:
    """Listen to new frames."""

    seat: Seat
    taken: Taken


@dataclass(frozen=True)
class Leave:
    """Finish what a peer said; it has left the room."""

    seat: Seat


@dataclass(frozen=True)
class Refuse:
    """Tell the bot what was wrong about a peer. `removed` says that the peer is gone from the stream."""

    handle: int
    error: Rejected
    removed: bool


@dataclass(frozen=True)
class Finish:
    """Finish what was heard, answer, and close."""


Action = Resolve | Hear | Leave | Refuse | Finish


@dataclass
class Room:
    """The peers of one stream."""

    session_zero_at: datetime
    default_format: AudioFormat | None
    limits: Limits
    seats: dict[int, Seat] = field(default_factory=dict)

    def received(self, message: StreamAudioRequest) -> Action | None:
        """What is to be done about a message; None when nothing is left to be done.

        Raises:
            InvalidInput: the stream itself makes no sense any more.
        """
        match message.WhichOneof("message"):
            case "frames":
                return self._frames(message.frames)
            case "peer_joined":
                return self._joined(message.peer_joined)
            case "peer_left":
                return self._left(message.peer_left)
            case "end":
                return Finish()
            case "heartbeat":
                return None
            case "open":
                raise InvalidInput("open must come once, as the first message", field="open")
        raise InvalidInput("message must be given", field="message")

    def seated(self, seat: Seat, first_needed: int) -> Intake:
        """It is known who a peer is, and which of its frames is needed first."""
        seat.intake = Intake(seat.arrival.audio, first_needed, self.limits)
        return seat.intake

    def vacate(self, seat: Seat) -> bool:
        """A peer is gone from the stream; False when it was gone already."""
        if self.seats.get(seat.arrival.handle) is not seat:
            return False
        del self.seats[seat.arrival.handle]
        return True

    def _frames(self, frames: Frames) -> Action | None:
        seat = self.seats.get(frames.peer)
        if seat is None:
            return Refuse(frames.peer, _unknown("frames.peer"), removed=True)
        if seat.takes_next(frames):
            return None
        if seat.intake is None:
            return Refuse(frames.peer, _too_early(), removed=False)
        try:
            taken = seat.intake.take(frames)
        except FramesRefused as refused:
            return Refuse(frames.peer, refused, removed=False)
        return Hear(seat, taken) if taken else None

    def _joined(self, joined: PeerJoined) -> Action:
        if joined.peer in self.seats:
            taken = InvalidInput("peer_joined.peer must be new: it stands for another peer", field="peer_joined.peer")
            return Refuse(joined.peer, taken, removed=False)
        try:
            seat = Seat(self._arrival(joined))
        except Rejected as refused:
            return Refuse(joined.peer, refused, removed=True)
        self.seats[joined.peer] = seat
        return Resolve(seat)

    def _arrival(self, joined: PeerJoined) -> Arrival:
        if len(self.seats) >= self.limits.max_peers:
            full = f"a stream holds at most {self.limits.max_peers} peers"
            raise LimitReached(full, retry_after=SEAT_RETRY, reason="STREAM_FULL", field="peer_joined.peer")
        require_valid(joined, "peer_joined")
        return arrival_of(joined, self.default_format, self.session_zero_at)

    def _left(self, left: PeerLeft) -> Action:
        seat = self.seats.pop(left.peer, None)
        return Leave(seat) if seat else Refuse(left.peer, _unknown("peer_left.peer"), removed=True)


def _unknown(named: str) -> Rejected:
    return NotFound("peer", reason="PEER_NOT_FOUND", field=named)


def _too_early() -> Rejected:
    return WrongState("frames may come once the peer is resolved", reason="PEER_NOT_RESOLVED", field="frames.peer")
