"""What the heartbeat says, and what the sweep does about those nobody carries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from cortex_transcriber.domain.commands import JoinSpeaker, Person, SpeakerKey
from cortex_transcriber.domain.numbering import Numbering
from cortex_transcriber.stream.open_streams import OpenStreams, Place
from cortex_transcriber.stream.ports import Carried
from cortex_transcriber.sweeping import Heartbeat, Sweep

from services.transcriber.tests.streaming import PEER_ZERO, PROJECT, SESSION, Speakers

pytestmark = pytest.mark.unit

ADA = SpeakerKey(SESSION, "peer-1")
LAST_FRAME = PEER_ZERO + timedelta(seconds=7)


@dataclass(frozen=True)
class Gone:
    """A speaker whom nobody carries."""

    project_id: str = PROJECT
    speaker: SpeakerKey = ADA
    last_frame_at = LAST_FRAME


@dataclass
class Record:
    """Who is where."""

    gone: list[Gone] = field(default_factory=list)
    beats: list[list[Carried]] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    async def beat(self, everybody: Sequence[Carried]) -> set[str]:
        """Keep it."""
        self.beats.append(list(everybody))
        return self.taken

    async def absent(self) -> Sequence[Gone]:
        """Who is gone."""
        return self.gone

    async def forget(self) -> None:
        """Nothing to forget."""


def place(holder: str = "holder", last_frame_at: Callable[[], datetime] = lambda: PEER_ZERO) -> Place:
    """A place on a stream."""
    return Place(ADA, PROJECT, holder, last_frame_at)


async def test_a_heartbeat_names_everybody_who_is_carried() -> None:
    """With the last frame of each; who lost the stream is named once more, with the last that was heard."""
    streams, record = OpenStreams(most=1), Record()
    heartbeat = Heartbeat(streams, record)
    heard_until = [PEER_ZERO]
    carried = place(last_frame_at=lambda: heard_until[-1])
    await streams.take(carried)
    await heartbeat.beat()
    heard_until.append(LAST_FRAME)
    streams.vacate(carried)
    await heartbeat.beat()
    await heartbeat.beat()
    assert [[each.last_frame_at for each in beat] for beat in record.beats] == [[PEER_ZERO], [LAST_FRAME], []]


async def test_who_said_goodbye_is_not_named_again() -> None:
    """The goodbye is an event, and its record is gone."""
    streams, record = OpenStreams(most=1), Record()
    leaving = place()
    await streams.take(leaving)
    leaving.leaving = True
    streams.vacate(leaving)
    await Heartbeat(streams, record).beat()
    assert record.beats == [[]]


async def test_a_place_that_another_replica_took_is_given_up() -> None:
    """The newer stream wins, also between processes."""
    streams = OpenStreams(most=1)
    carried = place("mine")
    await streams.take(carried)
    await Heartbeat(streams, Record(taken={"another's"})).beat()
    assert not carried.superseded.done()
    await Heartbeat(streams, Record(taken={"mine"})).beat()
    assert carried.superseded.done()


async def test_the_sweep_says_goodbye_for_those_who_cannot() -> None:
    """Dated by the last frame, once, however often it is swept."""
    speakers = Speakers()
    person = Person("participant", "ada", "Ada", 1)
    numbering = Numbering(PEER_ZERO, timedelta(milliseconds=20))
    await speakers.handle(JoinSpeaker(ADA, person, numbering, 0), speakers.origin)
    sweep = Sweep(Record(gone=[Gone()]), speakers)
    await sweep.sweep()
    await sweep.sweep()
    assert speakers.kinds == ["SpeakerJoined", "SpeakerLeft"]
    assert speakers.events[1].left_at.ToDatetime(PEER_ZERO.tzinfo) == LAST_FRAME
