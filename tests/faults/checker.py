"""The checker: compares what callers were told with what is there. It answers with what is wrong, one line each."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from cortex.common.v1.feed_pb2 import RecordedEvent
from cortex.identity.v1.events_pb2 import ParticipantCreated
from cortex.session.v1.events_pb2 import SessionCreated, SessionEnded

from tests.faults.checked_speech import Expected, speech_findings
from tests.faults.checked_views import view_findings
from tests.faults.evidence import Evidence, published
from tests.faults.ledger import Ledger

NOWHERE: AbstractSet[int] = frozenset()


def findings(
    ledger: Ledger, evidence: Evidence, expected: Expected, holes: Mapping[str, AbstractSet[int]] | None = None
) -> list[str]:
    """Everything that is lost, doubled, out of order or attributed wrongly.

    Args:
        ledger: what was acknowledged.
        evidence: what is there.
        expected: what an uninterrupted run heard of each speaker.
        holes: positions that a service's stream may lack, because the test deleted them.
    """
    found = [*ledger.wrong, *(f"parked: {parked}" for parked in evidence.parked)]
    for service, store in evidence.stores.items():
        found += [f"{service}: {wrong}" for wrong in store_findings(store)]
        found += [f"{service}: {wrong}" for wrong in stream_findings(evidence, service, (holes or {}).get(service))]
    found += participant_findings(ledger, evidence)
    found += session_findings(ledger, evidence)
    found += speech_findings(ledger, evidence, expected)
    found += view_findings(ledger, evidence)
    return found


def store_findings(store: Sequence[RecordedEvent]) -> Iterator[str]:
    """Positions rise, each event names the one before it, and no aggregate lacks or repeats a version."""
    previous, versions = 0, defaultdict[str, int](int)
    for event in store:
        if event.previous_position != previous or event.position <= previous:
            yield f"position {event.position} follows {previous}, and says {event.previous_position}"
        versions[event.aggregate_id] += 1
        if event.version != versions[event.aggregate_id]:
            yield f"aggregate {event.aggregate_id} has version {event.version} as event {versions[event.aggregate_id]}"
        previous = event.position
    yield from (f"event {each} is stored twice" for each in repeated(event.id for event in store))


def stream_findings(evidence: Evidence, service: str, holes: AbstractSet[int] | None) -> Iterator[str]:
    """The stream is the store, event by event, and so is what a consumer outside received."""
    there = evidence.streams[service]
    wanted = [published(event) for event in evidence.stores[service] if event.position not in (holes or NOWHERE)]
    if list(there) != wanted:
        missing = sorted({each.position for each in wanted} - {each.position for each in there})
        twice = repeated(each.position for each in there)
        order = [each.position for each in there]
        sorted_too = "in order" if order == sorted(order) else "out of order"
        yield f"the stream is not the store: {missing[:5]} missing, {twice[:5]} twice, {len(there)} {sorted_too}"
    if service in evidence.followed:
        yield from _followed(evidence, service)


def _followed(evidence: Evidence, service: str) -> Iterator[str]:
    received = list(evidence.followed[service])
    known = set(received)
    stored = [event.id for event in evidence.stores[service] if event.id in known]
    if received != stored:
        yield f"a consumer received {len(received)} events, {len(repeated(received))} twice, and not in order"


def participant_findings(ledger: Ledger, evidence: Evidence) -> Iterator[str]:
    """Each external user id has one participant, whoever asked and however often."""
    stored = defaultdict[str, list[str]](list)
    for _, event in evidence.events("identity", ParticipantCreated, ledger.project_id):
        stored[event.external_user_id].append(event.participant_id)
    for user, ids in stored.items():
        if len(ids) != 1:
            yield f"{user} was created {len(ids)} times"
    for user, answers in ledger.participants.items():
        told = {answer.participant_id for answer in answers}
        if told != set(stored[user]):
            yield f"{user} was said to be {sorted(told)} and is {stored[user]}"
        if len(creators := {answer.request_id for answer in answers if answer.created}) > 1:
            yield f"{user} was created by {len(creators)} requests"


def session_findings(ledger: Ledger, evidence: Evidence) -> Iterator[str]:
    """Each acknowledged session exists once, each request made one, and each acknowledged end is stored once."""
    created = defaultdict[str, list[str]](list)
    for _, event in evidence.events("session", SessionCreated, ledger.project_id):
        created[event.external_room_id].append(event.session_id)
    for room, requests in ledger.sessions.items():
        told = [session_id for answers in requests.values() for session_id in set(answers)]
        if sorted(told) != sorted(created[room]):
            yield f"room {room} was said to have {sorted(told)} and has {sorted(created[room])}"
    ended = Counter(event.session_id for _, event in evidence.events("session", SessionEnded, ledger.project_id))
    yield from (f"session {each} ended {ended[each]} times" for each in ledger.stopped if ended[each] != 1)


def repeated(values: Iterable[object]) -> list[object]:
    """Which values come more than once."""
    return [value for value, times in Counter(values).items() if times > 1]
