"""What every event store does. Inherit `EventStoreContract` and give it a fixture `store` over `CATALOGUE`.

Several tests may share one store: each uses boxes, requests and values of its own, and reads from where it began.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

import pytest
from cortex_eventing.catalogue import UnknownTopic
from cortex_eventing.claims import ClaimChange, ClaimedValue, rebuild_claims
from cortex_eventing.command_handling import CommandStore
from cortex_eventing.decider import Claim
from cortex_eventing.event_ids import event_id
from cortex_eventing.ports import Append, Appended, EventStore, Outcome
from cortex_eventing.recorded import Recorded, RecordedBytes
from google.protobuf.message import Message

from cortex_testkit.contracts.appends import CATALOGUE, OTHER_PROJECT, PROJECT, RECORDED_AT, Box, request
from cortex_testkit.sample_events import BoxOpened

MANY = 1_000_000
"""More requests than any test makes."""

WITHIN = 20.0
"""Seconds for what happens in milliseconds, on a machine that does ten other things."""


class FullEventStore(EventStore, CommandStore, Protocol):
    """All that an event store of ours does."""

    async def purge_requests(self, older_than: datetime, most: int) -> int:
        """Forget requests recorded before a time."""
        ...

    async def replace_claims(self, at: int, held: Mapping[ClaimedValue, str]) -> bool:
        """Put these claims in the place of all there are."""
        ...


async def append(store: EventStore, *appends: Append) -> Sequence[Appended]:
    """Append a batch and see that each command has an answer."""
    answers = await store.append(appends)
    assert len(answers) == len(appends)
    return answers


async def stored(store: EventStore, one: Append) -> Appended:
    """Append what must be stored."""
    (answer,) = await append(store, one)
    assert answer.outcome is Outcome.STORED
    return answer


class StoringContract:
    """Events are stored whole, in order, and come back as they were."""

    async def test_events_come_back_whole_to_their_aggregate(self, store: FullEventStore) -> None:
        """An aggregate's history holds every field, private ones too, in the order of versions."""
        box = Box.new()
        await stored(store, box.append(0, box.opened(), box.filled(1)))
        await stored(store, box.append(2, box.filled(2)))
        history = await store.history(box.id)
        assert list(history.events) == [box.opened(), box.filled(1), box.filled(2)]
        assert (history.project_id, history.version) == (PROJECT, 3)

    async def test_an_unknown_aggregate_has_no_history(self, store: FullEventStore) -> None:
        """Nothing is known of an aggregate that nobody stored."""
        history = await store.history(uuid.uuid4())
        assert (history.project_id, list(history.events), history.version) == ("", [], 0)

    async def test_positions_rise_in_the_order_of_events(self, store: FullEventStore) -> None:
        """The answer names the last event's position and version, and the store's head is never behind it."""
        box = Box.new()
        first = await stored(store, box.append(0, box.opened(), *(box.filled(n) for n in range(20))))
        second = await stored(store, box.append(21, box.filled(99)))
        assert (first.version, second.version) == (21, 22)
        assert second.position > first.position
        assert await store.head() == second.position
        assert first.resource_id == str(box.id)

    async def test_the_feed_leaves_private_fields_out(self, store: FullEventStore) -> None:
        """What leaves the service has payload and personal fields, and says where it came from."""
        box = Box.new()
        before = await store.head()
        answer = await stored(store, box.append(0, box.opened()))
        (raw,) = (await store.read(before, 10)).events
        public = box.opened()
        public.ClearField("secret")
        assert BoxOpened.FromString(raw.data) == public
        assert (raw.position, raw.previous_position) == (answer.position, before)
        assert (raw.event_id, raw.aggregate_id, raw.version) == (event_id(box.id, 1), box.id, 1)
        assert (raw.topic, raw.data_owner) == ("cortex_testkit.sample.v1.BoxOpened", "o1")
        assert (raw.recorded_at, raw.origin) == (RECORDED_AT, box.append(0).origin)

    async def test_pages_join_without_a_gap(self, store: FullEventStore) -> None:
        """Read page by page, each event's previous position is the position of the one before it."""
        box = Box.new()
        before = position = await store.head()
        await stored(store, box.append(0, box.opened(), *(box.filled(n) for n in range(6))))
        seen: list[RecordedBytes] = []
        while not (page := await store.read(position, 3)).at_head:
            seen += page.events
            position = page.read_up_to
        seen += page.events
        assert [event.version for event in seen] == [1, 2, 3, 4, 5, 6, 7]
        assert [event.previous_position for event in seen] == [before, *(event.position for event in seen[:-1])]
        assert (await store.read(seen[-1].position, 3)).read_up_to == seen[-1].position

    async def test_a_project_sees_its_own_events(self, store: FullEventStore) -> None:
        """A filtered page holds one project's events and still says how far it read."""
        mine, foreign = Box.new(), Box.new(OTHER_PROJECT)
        before = await store.head()
        await stored(store, foreign.append(0, foreign.opened()))
        await stored(store, mine.append(0, mine.opened()))
        last = await stored(store, foreign.append(1, foreign.filled(1)))
        page = await store.read(before, 10, PROJECT)
        assert [event.aggregate_id for event in page.events] == [mine.id]
        assert (page.read_up_to, page.at_head) == (last.position, True)

    async def test_whoever_waits_is_told(self, store: FullEventStore) -> None:
        """A ticker ticks at once, and again so that everything stored is seen."""
        box = Box.new()
        before = await store.head()
        async with store.changes() as ticks, asyncio.timeout(WITHIN):
            await anext(ticks)
            await stored(store, box.append(0, box.opened()))
            async for _ in ticks:
                if (await store.read(before, 10)).events:
                    break

    async def test_an_event_of_another_service_is_refused(self, store: FullEventStore) -> None:
        """An event that is not in the catalogue is a defect of ours, and nothing of its command is stored."""
        box = Box.new()
        stranger = type(box.opened().card)()  # type: ignore[attr-defined]
        with pytest.raises(UnknownTopic, match="Card"):
            await store.append([box.append(0, box.opened(), stranger)])
        assert (await store.history(box.id)).version == 0

    @pytest.mark.parametrize("field", ["resource_id", "project", "owner"])
    async def test_a_text_that_cannot_be_stored_is_refused_by_name(self, store: FullEventStore, field: str) -> None:
        """A NUL character is refused before it can spoil a batch of others."""
        box = Box.new("a\0b" if field == "project" else PROJECT)
        bad = box.append(0, box.opened(), take=[Claim("shelf", "v", "o\0")] if field == "owner" else [])
        if field == "resource_id":
            bad = replace(bad, resource_id="a\0b")
        with pytest.raises(ValueError, match="NUL"):
            await store.append([bad])


class VersionContract:
    """A decision counts only on the state that it was made on."""

    async def test_a_stale_command_is_refused(self, store: FullEventStore) -> None:
        """Of two commands decided on one version, the second is refused and stores nothing."""
        box = Box.new()
        await stored(store, box.append(0, box.opened()))
        (answer,) = await append(store, box.append(0, box.opened(), box.filled(1)))
        assert answer == Appended(Outcome.VERSION_CONFLICT)
        assert (await store.history(box.id)).version == 1

    @pytest.mark.parametrize("version", [1, 2, 5])
    async def test_a_version_without_its_predecessor_is_refused(self, store: FullEventStore, version: int) -> None:
        """A command that decided on a version which is not there yet leaves no hole."""
        box = Box.new()
        (answer,) = await append(store, box.append(version, box.filled(1)))
        assert answer.outcome is Outcome.VERSION_CONFLICT
        await stored(store, box.append(0, box.opened()))

    async def test_one_refusal_touches_no_other(self, store: FullEventStore) -> None:
        """In a batch, everything but the refused command is stored, each with its own position."""
        good, stale, late = Box.new(), Box.new(), Box.new()
        await stored(store, stale.append(0, stale.opened()))
        answers = await append(
            store,
            good.append(0, good.opened(), good.filled(1)),
            stale.append(0, stale.opened()),
            late.append(0, late.opened()),
        )
        assert [answer.outcome for answer in answers] == [Outcome.STORED, Outcome.VERSION_CONFLICT, Outcome.STORED]
        assert [answer.version for answer in answers] == [2, 0, 1]
        assert 0 < answers[0].position < answers[2].position
        assert [(await store.history(box.id)).version for box in (good, stale, late)] == [2, 1, 1]

    async def test_two_commands_of_one_batch_on_one_aggregate(self, store: FullEventStore) -> None:
        """Two commands that were decided on one version and wait together: the first counts."""
        box = Box.new()
        answers = await append(store, box.append(0, box.opened()), box.append(0, box.opened(), box.filled(1)))
        assert [answer.outcome for answer in answers] == [Outcome.STORED, Outcome.VERSION_CONFLICT]

    async def test_a_big_batch_keeps_its_order(self, store: FullEventStore) -> None:
        """More commands than fit in one transaction are all stored, each aggregate's events in their order."""
        boxes = [Box.new() for _ in range(300)]
        answers = await append(store, *(box.append(0, box.opened(), box.filled(1)) for box in boxes))
        assert {answer.outcome for answer in answers} == {Outcome.STORED}
        positions = [answer.position for answer in answers]
        assert positions == sorted(set(positions))


class RequestContract:
    """A request counts once, however often it is sent."""

    async def test_a_repeat_answers_with_the_first_result(self, store: FullEventStore) -> None:
        """The same request again stores nothing and names position, resource and version of the first."""
        box, key = Box.new(), request()
        first = await stored(store, box.append(0, box.opened(), box.filled(1), request=key))
        other = Box.new()
        (again,) = await append(store, other.append(0, other.opened(), request=key))
        assert again == replace(first, outcome=Outcome.REPEATED)
        assert (await store.history(other.id)).version == 0

    async def test_a_request_can_be_looked_up(self, store: FullEventStore) -> None:
        """What became of a request is known without sending it again, and not taken for another body's or project's."""
        box, key = Box.new(), request(b"one")
        assert await store.find_request(PROJECT, key) is None
        first = await stored(store, box.append(0, box.opened(), request=key))
        assert await store.find_request(PROJECT, key) == replace(first, outcome=Outcome.REPEATED)
        reused = await store.find_request(PROJECT, replace(key, body_hash=request(b"two").body_hash))
        assert reused is not None
        assert reused.outcome is Outcome.REQUEST_ID_REUSED
        assert await store.find_request(OTHER_PROJECT, key) is None

    async def test_a_request_id_with_another_body_is_refused(self, store: FullEventStore) -> None:
        """One id for two different requests is an error of the caller's, and stores nothing."""
        box, key = Box.new(), request(b"one")
        await stored(store, box.append(0, box.opened(), request=key))
        reused = replace(key, body_hash=request(b"two").body_hash)
        (answer,) = await append(store, box.append(1, box.filled(1), request=reused))
        assert answer.outcome is Outcome.REQUEST_ID_REUSED
        assert (await store.history(box.id)).version == 1

    async def test_ids_are_apart_by_method_and_project(self, store: FullEventStore) -> None:
        """The same id of another method, or in another project, is another request."""
        key = request()
        for box, same_id in (
            (Box.new(), key),
            (Box.new(), replace(key, method="CloseBox")),
            (Box.new(OTHER_PROJECT), key),
        ):
            await stored(store, box.append(0, box.opened(), request=same_id))

    async def test_a_refused_command_leaves_no_request(self, store: FullEventStore) -> None:
        """A command that conflicted may be sent again under its id, on the right version."""
        box, key = Box.new(), request()
        (answer,) = await append(store, box.append(3, box.filled(1), request=key))
        assert answer.outcome is Outcome.VERSION_CONFLICT
        await stored(store, box.append(0, box.opened(), request=key))

    async def test_a_command_without_events_is_remembered(self, store: FullEventStore) -> None:
        """A command that changed nothing answers with the head, and its repeat answers the same later."""
        box, key = Box.new(), request()
        await stored(store, box.append(0, box.opened()))
        head = await store.head()
        first = await stored(store, box.append(1, request=key))
        assert (first.position, first.version) == (head, 0)
        await stored(store, box.append(1, box.filled(1)))
        (again,) = await append(store, box.append(2, request=key))
        assert again == replace(first, outcome=Outcome.REPEATED)

    async def test_twins_in_one_batch_count_once(self, store: FullEventStore) -> None:
        """The same request twice among those that wait together: one is stored, the other is its repeat."""
        one, two, key = Box.new(), Box.new(), request()
        first, second = await append(
            store, one.append(0, one.opened(), request=key), two.append(0, two.opened(), request=key)
        )
        assert first.outcome is Outcome.STORED
        assert second == replace(first, outcome=Outcome.REPEATED)

    async def test_old_requests_are_forgotten(self, store: FullEventStore) -> None:
        """A purge forgets what is older than its time, and nothing else."""
        box, key = Box.new(), request()
        await stored(store, box.append(0, box.opened(), request=key))
        assert await store.purge_requests(datetime(2000, 1, 1, tzinfo=UTC), MANY) == 0
        (again,) = await append(store, box.append(1, box.filled(1), request=key))
        assert again.outcome is Outcome.REPEATED
        assert await store.purge_requests(datetime(9999, 1, 1, tzinfo=UTC), MANY) >= 1
        await stored(store, box.append(1, box.filled(1), request=key))

    async def test_requests_are_forgotten_in_steps(self, store: FullEventStore) -> None:
        """One step forgets as many as it may, so that it ends in time however many are old."""
        await store.purge_requests(datetime(9999, 1, 1, tzinfo=UTC), MANY)
        for _ in range(3):
            box = Box.new()
            await stored(store, box.append(0, box.opened(), request=request()))
        steps = [await store.purge_requests(datetime(9999, 1, 1, tzinfo=UTC), 2) for _ in range(3)]
        assert steps == [2, 1, 0]


class ClaimContract:
    """A value belongs to one owner in a project."""

    async def test_a_taken_claim_names_its_owner(self, store: FullEventStore) -> None:
        """Who wants what another holds is refused, learns the kind and the owner, and stores nothing."""
        holder, other, value = Box.new(), Box.new(), uuid.uuid4().hex
        await stored(store, holder.append(0, holder.opened(), take=[holder.claim(value)]))
        (answer,) = await append(store, other.append(0, other.opened(), take=[other.claim(value)]))
        assert answer == Appended(Outcome.CLAIM_TAKEN, claim_kind="shelf", claim_owner=str(holder.id))
        assert (await store.history(other.id)).version == 0
        assert await store.claim_owner(PROJECT, "shelf", value) == str(holder.id)

    async def test_claims_are_apart_by_kind_and_project(self, store: FullEventStore) -> None:
        """The same value of another kind, or in another project, is free."""
        value = uuid.uuid4().hex
        for box, kind in ((Box.new(), "shelf"), (Box.new(), "room"), (Box.new(OTHER_PROJECT), "shelf")):
            await stored(store, box.append(0, box.opened(), take=[box.claim(value, kind)]))
            assert await store.claim_owner(box.project_id, kind, value) == str(box.id)

    async def test_taking_what_one_holds_is_success(self, store: FullEventStore) -> None:
        """An owner may take its claim again."""
        box, value = Box.new(), uuid.uuid4().hex
        await stored(store, box.append(0, box.opened(), take=[box.claim(value)]))
        await stored(store, box.append(1, box.filled(1), take=[box.claim(value), box.claim(value)]))

    async def test_a_released_claim_is_free(self, store: FullEventStore) -> None:
        """What its owner released can be taken by another."""
        one, two, value = Box.new(), Box.new(), uuid.uuid4().hex
        await stored(store, one.append(0, one.opened(), take=[one.claim(value)]))
        await stored(store, one.append(1, one.filled(1), release=[one.claim(value)]))
        assert await store.claim_owner(PROJECT, "shelf", value) is None
        await stored(store, two.append(0, two.opened(), take=[two.claim(value)]))

    async def test_one_command_may_release_and_take(self, store: FullEventStore) -> None:
        """A command hands a value from one owner to another, or gives up and takes its own."""
        one, two, value = Box.new(), Box.new(), uuid.uuid4().hex
        await stored(store, one.append(0, one.opened(), take=[one.claim(value)]))
        await stored(store, one.append(1, one.filled(1), release=[one.claim(value)], take=[one.claim(value)]))
        assert await store.claim_owner(PROJECT, "shelf", value) == str(one.id)
        await stored(store, two.append(0, two.opened(), release=[one.claim(value)], take=[two.claim(value)]))
        assert await store.claim_owner(PROJECT, "shelf", value) == str(two.id)

    async def test_releasing_what_another_holds_changes_nothing(self, store: FullEventStore) -> None:
        """Only its owner's claim is released, and it does not make room for taking it."""
        holder, other, value = Box.new(), Box.new(), uuid.uuid4().hex
        await stored(store, holder.append(0, holder.opened(), take=[holder.claim(value)]))
        await stored(store, other.append(0, other.opened(), release=[other.claim(value)]))
        (answer,) = await append(
            store, other.append(1, other.filled(1), release=[other.claim(value)], take=[other.claim(value)])
        )
        assert answer.claim_owner == str(holder.id)

    async def test_a_refused_command_releases_nothing(self, store: FullEventStore) -> None:
        """A command that conflicts leaves every claim where it was, and takes none."""
        box, held, wanted = Box.new(), uuid.uuid4().hex, uuid.uuid4().hex
        await stored(store, box.append(0, box.opened(), take=[box.claim(held)]))
        (answer,) = await append(
            store, box.append(0, box.opened(), release=[box.claim(held)], take=[box.claim(wanted)])
        )
        assert answer.outcome is Outcome.VERSION_CONFLICT
        assert await store.claim_owner(PROJECT, "shelf", held) == str(box.id)
        assert await store.claim_owner(PROJECT, "shelf", wanted) is None

    async def test_ten_want_one_value_at_once(self, store: FullEventStore) -> None:
        """Of ten commands that want one value at the same time one gets it, and the others learn who."""
        boxes, value = [Box.new() for _ in range(10)], uuid.uuid4().hex
        answers = await asyncio.gather(
            *(store.append([box.append(0, box.opened(), take=[box.claim(value)])]) for box in boxes)
        )
        outcomes = [answer.outcome for (answer,) in answers]
        assert sorted(outcome.value for outcome in outcomes) == ["claim_taken"] * 9 + ["stored"]
        winner = str(boxes[outcomes.index(Outcome.STORED)].id)
        assert {answer.claim_owner for (answer,) in answers if answer.claim_owner} == {winner}

    async def test_claims_can_be_told_again_from_the_events(self, store: FullEventStore) -> None:
        """A rebuild puts the claims that the events speak of in the place of those there are."""
        box, lost, real = Box.new(), uuid.uuid4().hex, uuid.uuid4().hex
        await stored(store, box.append(0, box.opened(), take=[box.claim(lost)]))

        def claims_of(recorded: Recorded[Message]) -> ClaimChange:
            mine = recorded.raw.aggregate_id == box.id and isinstance(recorded.event, BoxOpened)
            return ClaimChange(take=(box.claim(real),)) if mine else ClaimChange()

        assert await rebuild_claims(store, CATALOGUE, claims_of) == 1
        assert await store.claim_owner(PROJECT, "shelf", real) == str(box.id)
        assert await store.claim_owner(PROJECT, "shelf", lost) is None

    async def test_claims_are_not_replaced_by_an_old_picture(self, store: FullEventStore) -> None:
        """Claims folded up to a position that is no longer the head are not put in place."""
        box, value = Box.new(), uuid.uuid4().hex
        before = await store.head()
        await stored(store, box.append(0, box.opened(), take=[box.claim(value)]))
        assert not await store.replace_claims(before, {})
        assert await store.claim_owner(PROJECT, "shelf", value) == str(box.id)


class EventStoreContract(StoringContract, VersionContract, RequestContract, ClaimContract):
    """Everything together."""
