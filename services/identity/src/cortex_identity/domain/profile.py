"""What a project says about a participant, as a value."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cortex.identity.v1.events_pb2 import ParticipantProfile
from google.protobuf.struct_pb2 import Struct

CHANGEABLE = ("display_name", "email", "user_data")
"""What an update may change, by the names of the request's and the profile's fields."""


@dataclass(frozen=True)
class Profile:
    """What is known about a participant.

    Attributes:
        user_data: free-form data: a Struct, serialized so that equal data are equal bytes.
    """

    display_name: str = ""
    email: str = ""
    user_data: bytes = b""

    def only(self, names: Sequence[str]) -> "Profile":
        """The fields of these names, the others empty."""
        return Profile(**{name: getattr(self, name) for name in names})

    def updated(self, other: "Profile", names: Sequence[str]) -> "Profile":
        """This profile with the fields of these names taken from another one."""
        return replace(self, **{name: getattr(other, name) for name in names})

    def differing(self, other: "Profile") -> list[str]:
        """The names of the fields in which another profile differs."""
        return [name for name in CHANGEABLE if getattr(self, name) != getattr(other, name)]


def free_form(data: Struct) -> bytes:
    """Free-form data as a profile holds them."""
    return data.SerializeToString(deterministic=True)


def profile_of(written: ParticipantProfile) -> Profile:
    """A profile, from how events write it down."""
    user_data = free_form(written.user_data) if written.HasField("user_data") else b""
    return Profile(written.display_name, written.email, user_data)


def written(profile: Profile) -> ParticipantProfile:
    """A profile, as events write it down."""
    return ParticipantProfile(
        display_name=profile.display_name,
        email=profile.email,
        user_data=Struct.FromString(profile.user_data) if profile.user_data else None,
    )
