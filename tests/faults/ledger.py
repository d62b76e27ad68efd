"""What callers were told. Whatever stands here must be true at the end, whatever was killed in the meantime."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple


class Peer(NamedTuple):
    """A speaker's connection to the room of a session."""

    session_id: str
    peer_id: str


class Cut(NamedTuple):
    """An utterance as its audio: first and last sequence number, and what was heard in it."""

    first: int
    last: int
    text: str


@dataclass(frozen=True)
class Final:
    """An utterance that the bot was told of.

    Attributes:
        position: of its event in the transcriber's store.
    """

    peer: Peer
    utterance_id: str
    cut: Cut
    position: int


@dataclass(frozen=True)
class Taken:
    """An answer to CreateParticipant or ResolvePeer."""

    participant_id: str
    request_id: str
    created: bool


@dataclass
class Ledger:
    """Everything that was acknowledged, in one project.

    Attributes:
        project_id: the project.
        participants: the answers about each external user id.
        sessions: the answers to CreateSession by room and request id, all of them.
        stopped: sessions whose end was acknowledged.
        users: who each peer said it was.
        resolved: who each peer was said to be.
        finals: what the bot was told that was said, by utterance.
        acknowledged: the highest sequence number that the bot was allowed to forget.
        played: peers whose audio was sent to its end, with the highest sequence number that was sent.
        wrong: answers that contradict one another, and errors that no fault excuses.
        answers: how many commands were answered.
    """

    project_id: str
    participants: dict[str, list[Taken]] = field(default_factory=lambda: defaultdict(list))
    sessions: dict[str, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    stopped: set[str] = field(default_factory=set)
    users: dict[Peer, str] = field(default_factory=dict)
    resolved: dict[Peer, str] = field(default_factory=dict)
    finals: dict[str, Final] = field(default_factory=dict)
    acknowledged: dict[Peer, int] = field(default_factory=dict)
    played: dict[Peer, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    answers: int = 0

    def participant(self, external_user_id: str, taken: Taken) -> None:
        """CreateParticipant was answered."""
        self.answers += 1
        self.participants[external_user_id].append(taken)

    def session(self, room: str, request_id: str, session_id: str) -> None:
        """CreateSession was answered."""
        self.answers += 1
        self.sessions[room][request_id].append(session_id)

    def stop(self, session_id: str) -> None:
        """StopSession was answered."""
        self.answers += 1
        self.stopped.add(session_id)

    def is_resolved(self, peer: Peer, user_id: str, participant_id: str) -> None:
        """The transcriber said who a peer is."""
        self.users[peer] = user_id
        before = self.resolved.setdefault(peer, participant_id)
        if before != participant_id:
            self.wrong.append(f"peer {peer.peer_id} was {before} and then {participant_id}")

    def final(self, final: Final) -> None:
        """The transcriber said what was said; it may say so again on a later connection, in the same words."""
        before = self.finals.setdefault(final.utterance_id, final)
        if before != final:
            self.wrong.append(f"utterance {final.utterance_id} was {before} and then {final}")

    def acknowledge(self, peer: Peer, through: int) -> None:
        """The bot may forget a peer's audio up to a sequence number."""
        self.acknowledged[peer] = max(through, self.acknowledged.get(peer, -1))

    @property
    def spoken_in(self) -> set[str]:
        """Every session in whose room somebody was."""
        return {peer.session_id for peer in self.users}
