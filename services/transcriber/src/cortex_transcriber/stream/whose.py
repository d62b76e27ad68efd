"""To whom words are attributed, and where they belong."""

from dataclasses import dataclass

from cortex_transcriber.domain.commands import Person, SpeakerKey
from cortex_transcriber.stream.arrivals import Arrival
from cortex_transcriber.stream.venue import Venue


@dataclass(frozen=True)
class Whose:
    """One peer of one stream, once it is known who it is."""

    venue: Venue
    arrival: Arrival
    person: Person

    @property
    def speaker(self) -> SpeakerKey:
        """The speaker of these words."""
        return SpeakerKey(self.venue.session.session_id, self.arrival.peer_id)
