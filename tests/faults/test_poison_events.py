"""An event that a projection cannot fold: its lane waits for an operator, and all others go on."""

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest
from cortex.identity.v1.events_pb2 import ParticipantCreated, ParticipantUpdated
from cortex.identity.v1.identity_service_pb2 import ListParticipantsRequest
from cortex.store.v1.stored_event_pb2 import StoredEvent
from cortex_client.client import CortexClient
from cortex_eventing.adapters.postgres.event_store import PostgresEventStore
from cortex_eventing.ports import Append, Outcome
from cortex_eventing.recorded import Origin
from cortex_identity.derived import EVENTS
from cortex_testkit.waiting import eventually
from google.protobuf.message import Message

from tests.faults.gathering import rows
from tests.faults.installation import Installation
from tests.faults.verdict import Trial

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

NOT_AN_ID = "no-uuid-at-all"
KINDS = {kind.DESCRIPTOR.full_name: kind for kind in (ParticipantCreated, ParticipantUpdated)}
NO_CLAIMS = b"these events hold no claim"
LANE = f"participant/{NOT_AN_ID}"


@pytest.fixture
async def caller(installed: Installation) -> AsyncIterator[CortexClient]:
    """Somebody whose project is not that of the traffic."""
    async with CortexClient(installed.addresses, str(uuid.uuid4())) as cortex:
        yield cortex


async def test_a_poison_event_parks_its_lane_alone(trial: Trial, installed: Installation, caller: CortexClient) -> None:
    """It is listed with what follows in its lane, all others go on, and once it is mended a replay brings it in."""
    participant_id = str(uuid.uuid4())
    async with trial.nothing_is_lost() as traffic:
        await store(installed, caller.project_id, created(NOT_AN_ID), ParticipantUpdated(participant_id=NOT_AN_ID))
        await caller.create_participant("bystander")
        await traffic.goes_on()
        assert await lanes(installed) == [LANE, LANE]
        assert await names(caller) == ["bystander"]

        await installed.run("identity", "replay", "participants", LANE)
        await eventually(lambda: is_tried_in_vain(installed))
        assert not await is_nothing_parked(installed)

        await mend(installed, caller.project_id, participant_id)
        await installed.run("identity", "replay", "participants", LANE)
        await eventually(lambda: is_nothing_parked(installed))
        await installed.run("identity", "refill-stream", "--yes")
        await traffic.goes_on()
    assert await names(caller) == ["bystander", "poison"]


def created(participant_id: str) -> ParticipantCreated:
    event = ParticipantCreated(participant_id=participant_id, external_user_id="poison")
    event.created_at.FromDatetime(datetime.now(UTC))
    return event


async def store(installed: Installation, project_id: str, *events: Message) -> None:
    """Store events straight away, as only a defect could: no command would have decided on them."""
    dsn = installed.servers.environments["identity"]["CORTEX_POSTGRES_WRITER_DSN"]
    append = Append(Origin(project_id), uuid.uuid4(), 0, events, datetime.now(UTC), NOT_AN_ID)
    async with PostgresEventStore(dsn, EVENTS, NO_CLAIMS) as straight:
        assert [appended.outcome for appended in await straight.append([append])] == [Outcome.STORED]


async def mend(installed: Installation, project_id: str, participant_id: str) -> None:
    """What the defect's repair would do: the stored events name a participant as the read model expects it."""
    found = await rows(installed, "identity", "SELECT notification_id, topic, state FROM stored_events")
    for position, topic, state in found:
        event = StoredEvent.FromString(state)
        if event.project_id == project_id and NOT_AN_ID.encode() in event.payload:
            # The last of two values of one field is the one that counts.
            event.payload += KINDS[topic](participant_id=participant_id).SerializeToString()
            mended = event.SerializeToString().hex()
            await rows(
                installed,
                "identity",
                f"UPDATE stored_events SET state = '\\x{mended}' WHERE notification_id = {position}",
            )


async def lanes(installed: Installation) -> Sequence[str]:
    """The lanes of the parked events, as the operator is shown them."""
    heading, *table = (await installed.run("identity", "parked")).splitlines()
    assert heading.split() == ["READER", "LANE", "POSITION", "TYPE", "REASON"]
    return [line.split()[1] for line in table]


async def is_tried_in_vain(installed: Installation) -> bool:
    """Whether nobody waits for the replay any more."""
    return not await rows(installed, "identity", "SELECT 1 FROM cortex_parked_events WHERE wanted_back")


async def is_nothing_parked(installed: Installation) -> bool:
    return not await rows(installed, "identity", "SELECT 1 FROM cortex_parked_events")


async def names(caller: CortexClient) -> Sequence[str]:
    """Whom the caller is told of."""
    listed = await caller.identity.ListParticipants(ListParticipantsRequest(project_id=caller.project_id))
    return sorted(each.external_user_id for each in listed.participants)
