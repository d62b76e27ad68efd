"""What the crowd said: every frame accounted for once, and the words of an uninterrupted run."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from cortex.transcriber.v1.events_pb2 import UtteranceTranscribed
from cortex_client.client import CortexClient
from cortex_client.demo.words import WordErrors, word_errors

from tests.faults.checked_speech import cut_of
from tests.faults.crowd import Crowd, Member
from tests.faults.crowd_voices import Kind, words_of
from tests.faults.gathering import stored
from tests.faults.ledger import Final, Peer

Finals = Mapping[Peer, Sequence[Final]]
"""What is stored of each peer, in the store's order."""

Reference = Mapping[Kind, Sequence[str]]
"""What an uninterrupted run heard of each kind of speaker: of exact ones with the frames before the words."""

MOST_OF_WORDS = 0.02
"""Words of all who are resampled or coded that may differ from the uninterrupted run's: their cuts may move by a
frame, and then the model may hear a word otherwise."""

NUMBER = re.compile(r"\b\d+:")
"""What precedes the frames in a scripted text: whose they are."""


async def finals_of(cortex: CortexClient) -> Finals:
    """Everything that is stored of a project."""
    found = defaultdict[Peer, list[Final]](list)
    for recorded in await stored(cortex.transcriber):
        if recorded.project_id == cortex.project_id and recorded.topic == UtteranceTranscribed.DESCRIPTOR.full_name:
            event = UtteranceTranscribed.FromString(recorded.data)
            peer = Peer(event.session_id, event.peer_id)
            found[peer].append(Final(peer, event.utterance_id, cut_of(event), recorded.position))
    return found


def reference_of(crowd: Crowd, finals: Finals) -> Reference:
    """What was heard of each kind, in a crowd of one of each that nothing befell."""
    return {member.kind: _told(member, finals[peer]) for peer, member in crowd.members.items()}


def script_findings(reference: Reference) -> Iterator[str]:
    """The uninterrupted run heard the script: every word that was laid under what was said, once and in its place."""
    for kind, told in reference.items():
        if not told:
            yield f"{kind}: nothing was heard"
        if kind.scripted and not kind.exact and (heard := _words(told)) != list(words_of(kind)):
            yield f"{kind}: {heard} was heard instead of {words_of(kind)}"


def crowd_findings(crowd: Crowd, finals: Finals, reference: Reference) -> Iterator[str]:
    """What is wrong with a crowd that was heard to its end."""
    yield from crowd.ledger.wrong
    yield from _not_as_told(crowd, finals)
    for peer, member in crowd.members.items():
        heard = finals.get(peer, ())
        wrong = [*_heard_once(heard), *_acknowledged(crowd, peer), *_otherwise(member, heard, reference[member.kind])]
        yield from (f"{member}: {each}" for each in wrong)
    yield from _misheard(crowd, finals, reference)


def _not_as_told(crowd: Crowd, finals: Finals) -> Iterator[str]:
    """Each final that a bot was told of stands in the store once, as it was told."""
    there = {final.utterance_id: final for each in finals.values() for final in each}
    for final in crowd.ledger.finals.values():
        if there.get(final.utterance_id) != final:
            yield f"{final} was told, and {there.get(final.utterance_id)} is stored"


def _heard_once(heard: Sequence[Final]) -> Iterator[str]:
    for one, other in pairwise(each.cut for each in heard):
        if one.last >= other.first:
            yield f"{one} and {other} overlap or are out of order"


def _acknowledged(crowd: Crowd, peer: Peer) -> Iterator[str]:
    acknowledged, sent = crowd.ledger.acknowledged.get(peer, -1), crowd.ledger.played.get(peer)
    if acknowledged != sent:
        yield f"acknowledged through {acknowledged}, though {sent} were sent"


def _otherwise(member: Member, heard: Sequence[Final], expected: Sequence[str]) -> Iterator[str]:
    """What can be compared word by word: cuts that repeat, and words that a machine can count."""
    told = _told(member, heard)
    if member.kind.exact and told != list(expected):
        lost, more = [cut for cut in expected if cut not in told], [cut for cut in told if cut not in expected]
        yield f"an uninterrupted run heard {lost}, here is {more}"
    if not member.kind.exact and member.kind.scripted and _words(told) != _words(expected):
        yield f"{_words(told)} was heard instead of {_words(expected)}"


def _misheard(crowd: Crowd, finals: Finals, reference: Reference) -> Iterator[str]:
    """What the model makes of audio that is resampled or coded, all together."""
    compared = [
        word_errors(reference[member.kind], _told(member, finals.get(peer, ())))
        for peer, member in crowd.members.items()
        if not member.kind.exact and not member.kind.scripted
    ]
    together = sum(compared, start=WordErrors(0, 0))
    if together.rate > MOST_OF_WORDS:
        yield f"{together.errors} of {together.words} words differ from those of an uninterrupted run"


def _told(member: Member, heard: Sequence[Final]) -> list[str]:
    """What a member said, as every other of its kind would have said it."""
    if not member.kind.exact:
        return [final.cut.text for final in heard]
    return [f"{cut.first} to {cut.last}: {NUMBER.sub('', cut.text)}" for cut in (final.cut for final in heard)]


def _words(told: Sequence[str]) -> list[str]:
    return " ".join(told).split()
