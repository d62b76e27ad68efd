import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.session.v1.events_pb2 import MessageCreated
from cortex.session.v1.resources_pb2 import MESSAGE_TYPE_USER
from cortex_eventing.times import span, stamp
from cortex_session.read_models.messages import MESSAGES, MessageRow
from cortex_testkit.read_models import PROJECT_OF_ROWS, rows_after

pytestmark = pytest.mark.unit

SPOKEN = datetime(2026, 11, 21, 10, 0, 3, tzinfo=UTC)
CREATED = MessageCreated(
    session_id=str(uuid.UUID(int=1)),
    message_id=str(uuid.UUID(int=2)),
    type=MESSAGE_TYPE_USER,
    participant_id=str(uuid.UUID(int=3)),
    external_user_id="u-1",
    sender_name="Ada",
    content="hello there",
    timestamp=stamp(SPOKEN),
    start_offset=span(timedelta(seconds=3)),
    end_offset=span(timedelta(seconds=4)),
    peer_id="peer-1",
    claim=CLAIM_UNVERIFIED,
    confidence=0.5,
    language="en",
    model="moonshine-tiny",
    utterance_id="utterance-1",
)


def test_a_message_is_kept_whole() -> None:
    """Every field of the event is in the row, with the position that a watcher resumes from."""
    assert rows_after(MESSAGES, CREATED) == [
        MessageRow(
            project_id=PROJECT_OF_ROWS,
            session_id=uuid.UUID(int=1),
            message_id=uuid.UUID(int=2),
            type=MESSAGE_TYPE_USER,
            participant_id=uuid.UUID(int=3),
            external_user_id="u-1",
            sender_name="Ada",
            content="hello there",
            said_at=SPOKEN,
            start_offset=timedelta(seconds=3),
            end_offset=timedelta(seconds=4),
            peer_id="peer-1",
            claim=CLAIM_UNVERIFIED,
            confidence=0.5,
            language="en",
            model="moonshine-tiny",
            utterance_id="utterance-1",
            position=1,
        )
    ]


def test_a_message_is_one_row() -> None:
    """An event that is folded twice leaves the first row as it was."""
    assert rows_after(MESSAGES, CREATED, CREATED) == rows_after(MESSAGES, CREATED)
