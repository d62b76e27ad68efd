import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cortex.identity.v1.events_pb2 import ParticipantCreated, ParticipantProfile, ParticipantUpdated
from cortex_eventing.errors import Impossible, InvalidInput, NotFound, Outdated
from cortex_eventing.testing import situations
from cortex_eventing.times import stamp
from cortex_identity.domain.commands import UpdateParticipant
from cortex_identity.domain.decisions import PARTICIPANTS
from cortex_identity.domain.ids import ParticipantId
from cortex_identity.domain.profile import Profile, free_form
from google.protobuf.struct_pb2 import Struct

pytestmark = pytest.mark.unit

given = situations(PARTICIPANTS)
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
ADA = ParticipantId(uuid.UUID("018f0000-0000-7000-8000-00000000000a"))
OLD = ParticipantProfile(display_name="Ada", email="ada@example.org")
CREATED = ParticipantCreated(participant_id=str(ADA), external_user_id="u-1", profile=OLD, created_at=stamp(NOW))
RENAMED = ParticipantUpdated(
    participant_id=str(ADA),
    profile=ParticipantProfile(display_name="Ada L.", email="ada@example.org"),
    previous=ParticipantProfile(display_name="Ada"),
    changed_fields=["display_name"],
    updated_at=stamp(LATER),
)


def data(**values: str) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct


def update(*fields: str, version: int | None = None, **profile: str | bytes) -> UpdateParticipant:
    return UpdateParticipant(ADA, Profile(**profile), fields, version, LATER)  # type: ignore[arg-type]


class WhenKnown:
    def test_only_named_fields_change(self) -> None:
        """What the mask leaves out stays, and the event carries the old value of what changed."""
        given(CREATED).when(update("display_name", display_name="Ada L.", email="other@example.org")).then(RENAMED)

    def test_a_named_field_that_is_empty_is_emptied(self) -> None:
        """Naming a field without a value takes the value away."""
        given(CREATED).when(update("email")).then(
            ParticipantUpdated(
                participant_id=str(ADA),
                profile=ParticipantProfile(display_name="Ada"),
                previous=ParticipantProfile(email="ada@example.org"),
                changed_fields=["email"],
                updated_at=stamp(LATER),
            )
        )

    def test_free_form_data_are_replaced_whole(self) -> None:
        """`user_data` is one field: keys that are not given again are gone."""
        before = ParticipantCreated(
            participant_id=str(ADA), profile=ParticipantProfile(user_data=data(team="red", level="3"))
        )
        given(before).when(update("user_data", user_data=free_form(data(team="blue")))).then(
            ParticipantUpdated(
                participant_id=str(ADA),
                profile=ParticipantProfile(user_data=data(team="blue")),
                previous=ParticipantProfile(user_data=data(team="red", level="3")),
                changed_fields=["user_data"],
                updated_at=stamp(LATER),
            )
        )

    def test_no_change_is_no_event(self) -> None:
        """Consumers hear of changes, not of requests."""
        given(CREATED).when(update("display_name", display_name="Ada")).then_nothing()

    def test_an_unknown_field_is_refused(self) -> None:
        """The mask is at fault, and nothing of the request happens."""
        given(CREATED).when(update("display_name", "external_user_id", display_name="X")).then_refused(
            InvalidInput, reason="MASK_FIELD_UNKNOWN", field="update_mask"
        )

    def test_an_empty_mask_is_refused(self) -> None:
        """Changing nothing is never what was meant."""
        given(CREATED).when(update()).then_refused(InvalidInput, reason="MASK_EMPTY", field="update_mask")

    def test_the_current_version_may_change(self) -> None:
        """The etag of the last answer is the current one."""
        given(CREATED).when(update("display_name", display_name="Ada L.", version=1)).then(RENAMED)

    def test_an_older_version_may_not(self) -> None:
        """Somebody else changed it meanwhile."""
        given(CREATED, RENAMED).when(update("email", version=1)).then_refused(Outdated, field="etag")

    def test_changes_count_and_are_dated(self) -> None:
        """Each event is a version; the time of the last one is the update time."""
        ada = given(CREATED).when(update("display_name", display_name="Ada L.")).state_after()
        assert ada is not None
        assert (ada.version, ada.created_at, ada.updated_at) == (2, NOW, LATER)


class WhenUnknown:
    def test_nobody_can_be_updated(self) -> None:
        """A missing participant and a foreign one answer alike."""
        given().when(update("email")).then_refused(NotFound, reason="PARTICIPANT_NOT_FOUND", field="participant_id")

    def test_nobody_was_updated(self) -> None:
        """A store that says so is damaged, and is not believed."""
        with pytest.raises(Impossible):
            given(RENAMED)
