"""What was said: heard once, frame by frame, as an uninterrupted run hears it, and charged to the one who said it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from cortex.common.v1.feed_pb2 import RecordedEvent
from cortex.transcriber.v1.events_pb2 import UtteranceTranscribed
from cortex_transcriber.adapters.scripted_recogniser import frames_heard

from tests.faults.evidence import Evidence
from tests.faults.ledger import Cut, Final, Ledger, Peer
from tests.faults.speech import Voice

Expected = Mapping[str, "Sequence[Cut]"]
"""What an uninterrupted run heard, by external user id."""

Utterances = Mapping[Peer, Sequence[tuple[RecordedEvent, UtteranceTranscribed]]]


def cut_of(event: UtteranceTranscribed) -> Cut:
    """An utterance as its audio."""
    return Cut(event.first_sequence, event.last_sequence, event.text)


def utterances(evidence: Evidence, project_id: str) -> Utterances:
    """The utterances in the transcriber's store, by peer."""
    found = defaultdict[Peer, list[tuple[RecordedEvent, UtteranceTranscribed]]](list)
    for recorded, event in evidence.events("transcriber", UtteranceTranscribed, project_id):
        found[Peer(event.session_id, event.peer_id)].append((recorded, event))
    return found


def speech_findings(ledger: Ledger, evidence: Evidence, expected: Expected) -> Iterator[str]:
    """What is wrong with the utterances of everybody who spoke."""
    stored = utterances(evidence, ledger.project_id)
    yield from _finals(ledger, stored)
    for peer, user_id in ledger.users.items():
        told = [event for _, event in stored.get(peer, ())]
        yield from (f"{user_id}: {wrong}" for wrong in _heard_once([cut_of(event) for event in told]))
        if any((event.participant_id, event.external_user_id) != (ledger.resolved[peer], user_id) for event in told):
            yield f"{user_id}: words are charged to somebody else"
        if peer in ledger.played:
            yield from (f"{user_id}: {wrong}" for wrong in _whole(ledger, peer, told, expected[user_id]))


def _finals(ledger: Ledger, stored: Utterances) -> Iterator[str]:
    """Each final that the bot was told of stands in the store once, as it was told."""
    there = {
        event.utterance_id: Final(peer, event.utterance_id, cut_of(event), recorded.position)
        for peer, told in stored.items()
        for recorded, event in told
    }
    for final in ledger.finals.values():
        if there.get(final.utterance_id) != final:
            yield f"{final} was told, and {there.get(final.utterance_id)} is stored"


def _heard_once(cuts: Sequence[Cut]) -> Iterator[str]:
    """No frame is in two utterances, and each utterance says the frames that it is made of."""
    for one, other in pairwise(cuts):
        if one.last >= other.first:
            yield f"utterance {one} and {other} overlap or are out of order"
    for cut in cuts:
        frames = [frame for _, frame in frames_heard([cut.text])]
        if len(frames) != len(set(frames)) or not set(frames) <= set(range(cut.first, cut.last + 1)):
            yield f"utterance {cut} does not say what it is made of"


def _whole(ledger: Ledger, peer: Peer, told: Sequence[UtteranceTranscribed], expected: Sequence[Cut]) -> Iterator[str]:
    """Somebody who was heard to the end said what an uninterrupted run heard, and all of it is acknowledged."""
    cuts = [cut_of(event) for event in told]
    if cuts != list(expected):
        lost, more = [cut for cut in expected if cut not in cuts], [cut for cut in cuts if cut not in expected]
        yield f"an uninterrupted run heard {lost}, here is {more}"
    if (acknowledged := ledger.acknowledged.get(peer, -1)) != ledger.played[peer]:
        yield f"acknowledged through {acknowledged}, though {ledger.played[peer]} were sent"


def script_findings(expected: Expected, voices: Sequence[Voice]) -> Iterator[str]:
    """What an uninterrupted run heard is the script: each frame in the midst of a line once, by its speaker."""
    for voice in voices:
        heard = frames_heard(cut.text for cut in expected[voice.user_id])
        if {speaker for speaker, _ in heard} != {voice.number}:
            yield f"{voice.user_id} was heard with the voices of {sorted({speaker for speaker, _ in heard})}"
        if missed := sorted(voice.spoken - {frame for _, frame in heard}):
            yield f"{voice.user_id}: {len(missed)} frames of speech were not heard, from {missed[:5]}"
        if len(heard) != len(set(heard)):
            yield f"{voice.user_id} was heard twice in places"
