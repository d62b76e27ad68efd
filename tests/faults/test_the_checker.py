"""The checker finds each fault that is planted, and nothing in a world that is in order."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.checked_speech import script_findings
from tests.faults.checker import findings
from tests.faults.evidence import Evidence
from tests.faults.ledger import Cut, Final, Ledger, Taken
from tests.faults.planted import (
    EXPECTED,
    PEER,
    SESSION,
    Store,
    noted,
    spoken,
    utterance,
    with_followed,
    with_messages,
    with_stream,
    world,
)
from tests.faults.speech import Voice

pytestmark = pytest.mark.unit

Plant = Callable[[], tuple[Ledger, Evidence]]


def changed(change: Callable[[Ledger, Evidence], Evidence | None]) -> Plant:
    """The world with something changed in what was told, or in what is there."""

    def plant() -> tuple[Ledger, Evidence]:
        ledger, evidence = world()
        return ledger, change(ledger, evidence) or evidence

    return plant


def taken(participant_id: str, *, created: bool) -> Callable[[Ledger, Evidence], None]:
    """Another answer about Ada."""
    return lambda ledger, _: ledger.participant("ada", Taken(participant_id, "request-9", created))


def unsaid() -> tuple[Ledger, Evidence]:
    """The first utterance was never made a message, and so is none in the list."""
    ledger, evidence = world(session=[*noted()[:2], *noted()[3:]])
    return ledger, with_messages(evidence, [1])


FAULTS: dict[str, tuple[Plant, str]] = {
    "the stream lacks one": (changed(lambda _, e: with_stream(e, "transcriber", [0, 2, 3])), "missing"),
    "the stream lost its tail": (changed(lambda _, e: with_stream(e, "session", [0, 1, 2])), "missing"),
    "the stream has one twice": (changed(lambda _, e: with_stream(e, "transcriber", [0, 1, 1, 2, 3])), "twice"),
    "the stream has two swapped": (changed(lambda _, e: with_stream(e, "session", [0, 2, 1, 3, 4, 5])), "out of order"),
    "a consumer got one twice": (changed(lambda _, e: with_followed(e, "session", [0, 1, 1, 2, 3, 4, 5])), "1 twice"),
    "a consumer got two swapped": (changed(lambda _, e: with_followed(e, "session", [1, 0, 2, 3, 4, 5])), "in order"),
    "an utterance is lost": (lambda: world(transcriber=[*spoken()[:2], spoken()[3]]), "was told, and None is stored"),
    "an utterance is stored twice": (
        lambda: world(transcriber=[*spoken()[:2], *spoken()[1:]]),
        "overlap or are out of order",
    ),
    "two utterances are swapped": (
        lambda: world(transcriber=[spoken()[each] for each in (0, 2, 1, 3)]),
        "overlap or are out of order",
    ),
    "a frame is heard twice": (
        lambda: world(transcriber=[*spoken()[:2], ("speaker", utterance(1, Cut(9, 29, "1:9-29"))), spoken()[3]]),
        "overlap or are out of order",
    ),
    "a frame is lost": (
        lambda: world(transcriber=[*spoken()[:2], ("speaker", utterance(1, Cut(20, 29, "1:20-28"))), spoken()[3]]),
        "an uninterrupted run heard",
    ),
    "a frame is in an utterance twice": (
        lambda: world(transcriber=[*spoken()[:2], ("speaker", utterance(1, Cut(20, 29, "1:20-29 1:29-29")))]),
        "does not say what it is made of",
    ),
    "words are charged to somebody else": (
        lambda: world(transcriber=[("speaker", utterance(0, EXPECTED["ada"][0], "bob-1")), *spoken()[1:]]),
        "charged to somebody else",
    ),
    "audio is not acknowledged": (changed(lambda ledger, _: ledger.played.update({PEER: 40})), "acknowledged through"),
    "a final was told in other words": (
        changed(lambda ledger, _: ledger.final(Final(PEER, "utterance-0", Cut(0, 9, "1:0-8"), 2))),
        "and then",
    ),
    "a message is lost": (changed(lambda _, e: with_messages(e, [0])), "1 messages are listed, 2 were created"),
    "a message is doubled": (changed(lambda _, e: with_messages(e, [0, 0, 1])), "3 messages are listed"),
    "messages are swapped": (changed(lambda _, e: with_messages(e, [1, 0])), "not in speaking order"),
    "an utterance became no message": (unsaid, "2 utterances were heard"),
    "an utterance became two messages": (
        lambda: world(session=[*noted()[:3], ("message-9", noted()[2][1]), *noted()[3:]]),
        "3 were created",
    ),
    "a message is in a session where nobody spoke": (
        changed(lambda ledger, _: ledger.users.clear()),
        "nobody spoke in it",
    ),
    "an end is stored twice": (lambda: world(session=[*noted(), noted()[5]]), "ended 2 times"),
    "somebody came twice": (
        lambda: world(session=[*noted()[:2], noted()[1], *noted()[2:]]),
        "the session noted",
    ),
    "a visit is not listed": (changed(lambda _, e: replace(e, attendance={SESSION: []})), "0 visits are listed"),
    "a session has no end": (lambda: world(session=noted()[:5]), "ended 0 times"),
    "a session is not listed": (changed(lambda _, e: replace(e, sessions=[])), "0 sessions are listed"),
    "a room has two sessions": (
        changed(lambda ledger, _: ledger.session("room", "request-8", "session-2")),
        "room room was said to have",
    ),
    "a participant is not listed": (changed(lambda _, e: replace(e, participants=[])), "0 participants are listed"),
    "a participant was told and is not stored": (changed(taken("ada-2", created=False)), "ada was said to be"),
    "two requests created one participant": (changed(taken("ada-1", created=True)), "created by 2 requests"),
    "a peer became somebody else": (changed(lambda ledger, _: ledger.is_resolved(PEER, "ada", "bob-1")), "and then"),
    "something is parked": (changed(lambda _, e: replace(e, parked=["session rooms 7"])), "parked: session rooms 7"),
}


def test_a_world_in_order_has_no_faults() -> None:
    """What is told and what is there agree, so there is nothing to say."""
    assert findings(*world(), EXPECTED) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_is_found(fault: str) -> None:
    """One thing is out of order, and the checker names it."""
    plant, words = FAULTS[fault]
    found = findings(*plant(), EXPECTED)
    assert any(words in each for each in found), found


@pytest.mark.parametrize("change", ["position", "previous_position", "version", "id"])
def test_a_store_that_contradicts_itself_is_found(change: str) -> None:
    """Positions rise and name their predecessor, versions follow one another, ids are unique."""
    ledger, evidence = world()
    store = Store(list(evidence.stores["session"]))
    wrong = store.events[3]
    setattr(wrong, change, store.events[2].id if change == "id" else 1 + 7 * (change == "version"))
    assert findings(ledger, evidence, EXPECTED)


def test_a_hole_may_be_allowed() -> None:
    """What a test deleted from a stream may be missing there, and only that."""
    ledger, evidence = world()
    position = evidence.stores["transcriber"][1].position
    holed = with_stream(evidence, "transcriber", [0, 2, 3])
    assert findings(ledger, holed, EXPECTED, holes={"transcriber": {position}}) == []
    assert findings(ledger, evidence, EXPECTED, holes={"transcriber": {position}}) != []


def test_the_script_is_the_measure_of_an_uninterrupted_run() -> None:
    """Speech that nobody heard, or heard in another's voice, is found where there is nothing to compare with."""
    silence: list[bytes | None] = []
    voice = Voice("ada", 1, silence, frozenset({3, 25}))
    assert list(script_findings(EXPECTED, [voice])) == []
    assert list(script_findings({"ada": EXPECTED["ada"][:1]}, [voice]))
    assert list(script_findings(EXPECTED, [replace(voice, number=2)]))
    assert list(script_findings({"ada": [*EXPECTED["ada"], EXPECTED["ada"][0]]}, [voice]))
