"""How a service's events become messages."""

from dataclasses import dataclass

from cortex_eventing.adapters.nats.headers import headers_of
from cortex_eventing.catalogue import Catalogue, subject
from cortex_eventing.recorded import RecordedBytes


@dataclass(frozen=True)
class Envelope:
    """A message, ready to be published."""

    subject: str
    headers: dict[str, str]
    body: bytes


class Envelopes:
    """Makes messages of a service's events.

    Args:
        catalogue: all event types of the service.
        service: its name, for example `session`.
    """

    def __init__(self, catalogue: Catalogue, service: str) -> None:
        self._catalogue = catalogue
        self._source = f"/cortex/{service}"

    def of(self, raw: RecordedBytes) -> Envelope:
        """The message of an event.

        Raises:
            UnknownTopic: the store holds an event that this version does not know: it is older than its store.
            InvalidInput: its project or its resource's id is no token of a subject.
        """
        event_type = self._catalogue.of(raw.topic)
        resource_id = event_type.resource_id(event_type.message_class.FromString(raw.data))
        return Envelope(
            subject(raw.origin.project_id, event_type, resource_id),
            headers_of(raw, event_type, self._source, resource_id),
            raw.data,
        )
