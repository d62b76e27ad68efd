import uuid
from datetime import UTC, datetime

import pytest
from cortex.identity.v1.events_pb2 import ParticipantCreated
from cortex_eventing.decider import Claim
from cortex_eventing.errors import AlreadyExists, NotFound
from cortex_eventing.testing import situations
from cortex_eventing.times import stamp
from cortex_identity.domain.claims import claim_of
from cortex_identity.domain.commands import AnonymousPeer, CreateParticipant, ExternalUser, FindParticipant
from cortex_identity.domain.decisions import PARTICIPANTS
from cortex_identity.domain.ids import ParticipantId, SessionId
from cortex_identity.domain.profile import Profile, written

pytestmark = pytest.mark.unit

given = situations(PARTICIPANTS)
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
ADA = ParticipantId(uuid.UUID("018f0000-0000-7000-8000-00000000000a"))
SESSION = SessionId(uuid.UUID("018f0000-0000-7000-8000-00000000005e"))
PROFILE = Profile(display_name="Ada", email="ada@example.org")
CREATED = ParticipantCreated(
    participant_id=str(ADA), external_user_id="u-1", profile=written(PROFILE), created_at=stamp(NOW)
)
CREATE = CreateParticipant(ADA, ExternalUser("u-1"), PROFILE, NOW)


class WhenUnknown:
    def test_is_taken_in_under_its_external_id(self) -> None:
        """The external user id is claimed with the creation, so that nobody else becomes it."""
        given().when(CREATE).then(CREATED, taken=[Claim("participant_external_user_id", "u-1", str(ADA))])

    def test_a_peer_without_a_user_is_somebody_of_its_own(self) -> None:
        """It is known by session and peer, and carries no external id."""
        peer = AnonymousPeer(SESSION, "peer-1")
        given().when(CreateParticipant(ADA, peer, Profile(), NOW)).then(
            ParticipantCreated(
                participant_id=str(ADA),
                profile=written(Profile()),
                created_at=stamp(NOW),
                anonymous_session_id=str(SESSION),
                anonymous_peer_id="peer-1",
            ),
            taken=[Claim("participant_anonymous_peer", f"{SESSION}/peer-1", str(ADA))],
        )

    def test_cannot_be_found(self) -> None:
        """Finding says which field named nobody."""
        given().when(FindParticipant(ADA)).then_refused(
            NotFound, reason="PARTICIPANT_NOT_FOUND", field="participant_id"
        )


class WhenKnown:
    def test_is_found_unchanged(self) -> None:
        """A second log-in changes nothing about who somebody is."""
        given(CREATED).when(FindParticipant(ADA)).then_nothing()

    def test_cannot_be_taken_in_again(self) -> None:
        """An id is given once."""
        given(CREATED).when(CREATE).then_refused(AlreadyExists)


def test_peers_and_users_never_claim_the_same() -> None:
    """A client cannot call itself such that it is taken for an anonymous peer, of this session or another one."""
    peer = claim_of(AnonymousPeer(SESSION, "p"))
    assert claim_of(ExternalUser(peer.value)) != peer
    assert claim_of(AnonymousPeer(SESSION, "p/q")) != claim_of(AnonymousPeer(SESSION, "p"))
