"""Appends of boxes, the resource of `sample_events`, for the contract suite of the event store."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cortex_eventing.catalogue import Catalogue
from cortex_eventing.decider import Claim
from cortex_eventing.ports import Append, RequestKey
from cortex_eventing.recorded import Origin
from google.protobuf.message import Message

from cortex_testkit.sample_events import BoxFilled, BoxOpened

PROJECT = "00000000-0000-4000-8000-00000000000a"
OTHER_PROJECT = "00000000-0000-4000-8000-00000000000b"
RECORDED_AT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
CATALOGUE = Catalogue([BoxOpened, BoxFilled])


@dataclass(frozen=True)
class Box:
    """A box and the project it is in; makes appends for it."""

    id: uuid.UUID
    project_id: str = PROJECT

    @classmethod
    def new(cls, project_id: str = PROJECT) -> "Box":
        """A box that no store has seen."""
        return cls(uuid.uuid4(), project_id)

    def opened(self) -> Message:
        """Its first event, with a field of each kind."""
        return BoxOpened(
            box_id=str(self.id), owner_id="o1", label="plain", owner_name="personal", secret=b"private", nicknames=["p"]
        )

    def filled(self, amount: int) -> Message:
        """A later event."""
        return BoxFilled(box_id=str(self.id), amount=amount)

    def append(
        self,
        version: int,
        *events: Message,
        request: RequestKey | None = None,
        take: Sequence[Claim] = (),
        release: Sequence[Claim] = (),
    ) -> Append:
        """What a command on the box at `version` led to."""
        return Append(
            origin=Origin(self.project_id, "key-1", "correlation", "causation", "00-trace"),
            aggregate_id=self.id,
            expected_version=version,
            events=events,
            recorded_at=RECORDED_AT,
            resource_id=str(self.id),
            request=request,
            take=take,
            release=release,
        )

    def claim(self, value: str, kind: str = "shelf") -> Claim:
        """A value that this box holds or wants."""
        return Claim(kind, value, str(self.id))


def request(body: bytes = b"body", method: str = "OpenBox") -> RequestKey:
    """A request with an id that no store has seen."""
    return RequestKey(method, uuid.uuid4(), body.ljust(32, b"."))
