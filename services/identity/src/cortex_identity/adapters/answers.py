"""Participants as callers read them."""

from cortex.identity.v1 import resources_pb2
from cortex_eventing.times import stamp
from cortex_runtime.etags import etag_of
from google.protobuf.struct_pb2 import Struct

from cortex_identity.domain.participant import Participant


def answer(participant: Participant, project_id: str) -> resources_pb2.Participant:
    """A participant of a project."""
    return resources_pb2.Participant(
        id=participant.participant_id,
        project_id=project_id,
        external_user_id=participant.external_user_id,
        display_name=participant.profile.display_name,
        email=participant.profile.email,
        user_data=Struct.FromString(participant.profile.user_data) if participant.profile.user_data else None,
        create_time=stamp(participant.created_at),
        update_time=stamp(participant.updated_at),
        etag=etag_of(participant.version),
    )
