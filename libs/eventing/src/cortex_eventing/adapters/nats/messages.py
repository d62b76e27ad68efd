"""How a service's events become messages."""

from dataclasses import dataclass
from functools import lru_cache

from cortex_eventing.adapters.nats.headers import headers_in, lines_of_event, lines_of_type
from cortex_eventing.catalogue import Catalogue, subject
from cortex_eventing.errors import InvalidInput
from cortex_eventing.recorded import RecordedBytes
from cortex_eventing.subjects import TOKEN

REMEMBERED = 4_096
"""Pairs of project and event type whose half of a subject is kept ready."""


@dataclass(frozen=True)
class Envelope:
    """A message, ready to be published.

    Attributes:
        subject: where.
        lines: its headers, each ended by CR and LF.
        body: the event's message, serialized.
    """

    subject: str
    lines: str
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """Its headers by name."""
        return headers_in(self.lines)


class Envelopes:
    """Makes messages of a service's events.

    Args:
        catalogue: all event types of the service.
        service: its name, for example `session`.
    """

    def __init__(self, catalogue: Catalogue, service: str) -> None:
        self._catalogue = catalogue
        self._common = {each.topic: lines_of_type(each, f"/cortex/{service}") for each in catalogue.all()}
        self._halves = lru_cache(REMEMBERED)(self._halves_of_subject)

    def of(self, raw: RecordedBytes) -> Envelope:
        """The message of an event.

        Raises:
            UnknownTopic: the store holds an event that this version does not know: it is older than its store.
            InvalidInput: its project or its resource's id is no token of a subject.
        """
        event_type = self._catalogue.of(raw.topic)
        resource_id = event_type.resource_id(event_type.message_class.FromString(raw.data))
        if not TOKEN.fullmatch(resource_id):
            raise InvalidInput("the resource's id is no token of a subject", reason="INVALID_SUBJECT_TOKEN")
        before, after = self._halves(raw.origin.project_id, raw.topic)
        lines = self._common[raw.topic] + lines_of_event(raw, f"{event_type.resource}:{resource_id}")
        return Envelope(f"{before}{resource_id}{after}", lines, raw.data)

    def _halves_of_subject(self, project_id: str, topic: str) -> tuple[str, str]:
        """What stands before and behind the resource's id in the subjects of one type in one project."""
        before, _, after = subject(project_id, self._catalogue.of(topic), ID_STANDS_HERE).rpartition(ID_STANDS_HERE)
        return before, after


ID_STANDS_HERE = "resource-id-stands-here"
"""No entity and no verb is called so."""
