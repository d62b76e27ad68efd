"""How the transcriber's unit tests hold streams: the real steps on services, store and presence that live in memory."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from cortex.common.v1.audio_pb2 import ENCODING_PCM_S16LE
from cortex.common.v1.audio_pb2 import AudioFormat as WrittenFormat
from cortex.common.v1.claim_pb2 import CLAIM_UNVERIFIED
from cortex.transcriber.v1 import transcriber_service_pb2 as pb
from cortex.transcriber.v1.events_pb2 import UtteranceTranscribed
from cortex.transcriber.v1.live_pb2 import LiveInterim
from cortex_eventing.errors import Unavailable
from cortex_eventing.recorded import Origin
from cortex_eventing.times import span, stamp
from cortex_runtime.adapters.error_table import status_of
from cortex_transcriber.adapters.decoders import new_decoder
from cortex_transcriber.adapters.scripted_recogniser import ScriptedRecogniser, mark
from cortex_transcriber.domain.commands import Absence, Person, SpeakerCommand, SpeakerKey
from cortex_transcriber.domain.decisions import SPEAKER
from cortex_transcriber.domain.speaker import SpeakerEvent
from cortex_transcriber.loaded_models import LoadedModel, LoadedModels
from cortex_transcriber.speech.batching import VadBatcher
from cortex_transcriber.speech.decoding import Pcm
from cortex_transcriber.speech.events import EndLikely, InterimDue, SegmentReady
from cortex_transcriber.speech.pcm import to_float
from cortex_transcriber.speech.recogniser import SAMPLE_RATE, Recognised
from cortex_transcriber.speech.scheduler import Job
from cortex_transcriber.speech.segmenting import Segmenting
from cortex_transcriber.stream.audio_stream import AudioStream
from cortex_transcriber.stream.hearing import Hearing
from cortex_transcriber.stream.limits import Limits
from cortex_transcriber.stream.open_streams import OpenStreams
from cortex_transcriber.stream.parts import Parts
from cortex_transcriber.stream.ports import ActiveSession, Carried, Stored

from services.transcriber.tests.hearing import LoudnessDetector

PROJECT = "018f0000-0000-7000-8000-0000000000aa"
ANOTHER = "018f0000-0000-7000-8000-0000000000bb"
SESSION = "018f0000-0000-7000-8000-000000000001"
SESSION_ZERO = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
PEER_ZERO = SESSION_ZERO + timedelta(seconds=10)
FRAME_MS = 20
FRAME_SAMPLES = SAMPLE_RATE * FRAME_MS // 1000
PATIENCE = 10.0


def talk(seed: int, *spells: tuple[int, int]) -> Pcm:
    """Loud noise for so many frames, then silence for so many, again and again; each frame is marked with `seed`."""
    random = np.random.default_rng(seed)
    parts: list[Pcm] = []
    for loud, silent in spells:
        parts.append(random.integers(-9000, 9000, loud * FRAME_SAMPLES).astype(np.int16))
        parts.append(np.zeros(silent * FRAME_SAMPLES, dtype=np.int16))
    return mark(np.concatenate(parts), FRAME_SAMPLES, seed)


def payloads(pcm: Pcm) -> list[bytes]:
    """Its frames."""
    return [pcm[at : at + FRAME_SAMPLES].tobytes() for at in range(0, len(pcm), FRAME_SAMPLES)]


class Identities:
    """Everybody is known; may be away, or refuse."""

    def __init__(self) -> None:
        self.away = 0
        self.refusal: Exception | None = None

    async def resolve(self, project_id: str, speaker: SpeakerKey, user_id: str) -> Person:
        """A person whose ids follow from the peer's."""
        assert project_id == PROJECT
        if self.away:
            self.away -= 1
            raise Unavailable("identity")
        if self.refusal:
            raise self.refusal
        return Person(f"participant of {user_id or speaker.peer_id}", user_id, user_id.title(), CLAIM_UNVERIFIED)


class Speakers:
    """The store: all replicas of a test share it."""

    origin = Origin(PROJECT)

    def __init__(self) -> None:
        self.events: list[SpeakerEvent] = []
        self.away = 0
        self.changed = asyncio.Condition()

    async def handle(self, command: SpeakerCommand, origin: Origin) -> Stored:
        """Decide on what is stored, and store."""
        assert origin.project_id == PROJECT
        if self.away:
            self.away -= 1
            raise Unavailable("store")
        history = self.of(command.speaker)
        decided = list(SPEAKER.decide(command, SPEAKER.fold(history)).events)
        self.events += decided
        state = SPEAKER.fold(history + decided)
        assert state is not None
        async with self.changed:
            self.changed.notify_all()
        return Stored(state, len(history) + len(decided), len(self.events))

    def of(self, key: SpeakerKey) -> list[SpeakerEvent]:
        """One speaker's events."""
        return [event for event in self.events if (event.session_id, event.peer_id) == (key.session_id, key.peer_id)]

    @property
    def texts(self) -> list[str]:
        """Every text, in the order of storing."""
        return [event.text for event in self.events if isinstance(event, UtteranceTranscribed)]

    @property
    def kinds(self) -> list[str]:
        """What happened, in the order of storing."""
        return [event.DESCRIPTOR.name for event in self.events]


class Presence:
    """Who is carried by which stream."""

    def __init__(self) -> None:
        self.holders: dict[SpeakerKey, str] = {}
        self.absence: Absence | None = None

    async def claim(self, carried: Carried) -> Absence | None:
        """The newest holder wins."""
        self.holders[carried.speaker] = carried.holder
        return self.absence

    async def release(self, carried: Carried) -> None:
        """Nobody holds it."""
        if self.holders.get(carried.speaker) == carried.holder:
            del self.holders[carried.speaker]


class Recognition:
    """Reads the marks; finals may be held back, to be let go in any order, or fail. Interims may be dictated."""

    def __init__(self) -> None:
        self._recogniser = ScriptedRecogniser()
        self.held: dict[int, asyncio.Event] = {}
        self.failing: dict[int, Exception] = {}
        self.hypotheses: list[str] = []
        self.begun_early: list[tuple[int, int]] = []
        self.taken_early = 0
        self.recorded_ones = 0

    def early(self, likely: EndLikely, project_id: str) -> Job:
        """What is begun early is begun at once, and found at once."""
        assert project_id == PROJECT
        loop = asyncio.get_running_loop()
        job = Job(self._recogniser, likely.pcm, loop, loop.create_future(), "early", begun=True)
        job.done.set_result(self._recogniser.recognise(to_float(likely.pcm)))
        self.begun_early.append((likely.first_sequence, likely.last_sequence))
        return job

    async def final(self, segment: SegmentReady, project_id: str, early: Job | None = None) -> Recognised:
        """The marks of a segment."""
        self.taken_early += early is not None
        assert project_id == PROJECT
        if hold := self.held.get(segment.first_sequence):
            await hold.wait()
        if error := self.failing.get(segment.first_sequence):
            raise error
        return self._recogniser.recognise(segment.samples)

    async def recorded(self, segment: SegmentReady, project_id: str) -> Recognised:
        """The marks of a segment that was not spoken just now."""
        self.recorded_ones += 1
        return await self.final(segment, project_id)

    async def interim(self, due: InterimDue, project_id: str) -> Recognised | None:
        """The marks so far."""
        assert project_id == PROJECT
        heard = self._recogniser.recognise(to_float(due.pcm))
        return replace(heard, text=self.hypotheses.pop(0)) if self.hypotheses else heard


class Live:
    """Keeps what was said live."""

    def __init__(self) -> None:
        self.said: list[LiveInterim] = []

    async def say(self, project_id: str, interim: LiveInterim) -> None:
        """Keep it."""
        assert project_id == PROJECT
        self.said.append(interim)


class Sessions:
    """Every session is active."""

    async def active(self, project_id: str, session_id: str) -> ActiveSession:
        """The one session."""
        return ActiveSession(project_id, session_id, SESSION_ZERO)


@dataclass
class Stage:
    """One replica. A second one on the same store and presence stands for another process."""

    speakers: Speakers = field(default_factory=Speakers)
    presence: Presence = field(default_factory=Presence)
    identities: Identities = field(default_factory=Identities)
    recognition: Recognition = field(default_factory=Recognition)
    live: Live = field(default_factory=Live)
    limits: Limits = field(default_factory=Limits)
    segmenting: Segmenting = field(default_factory=Segmenting)
    now: Callable[[], datetime] = lambda: SESSION_ZERO
    _holders: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.open_streams = OpenStreams(most=10)
        self.hearing = Hearing(VadBatcher(LoudnessDetector()))

    @property
    def parts(self) -> Parts:
        """What a stream works with."""
        return Parts(
            sessions=Sessions(),
            identities=self.identities,
            speakers=self.speakers,
            presence=self.presence,
            models=LoadedModels([LoadedModel("scripted", "en", "scripted", SAMPLE_RATE, self.recognition)]),
            live=self.live,
            hearing=self.hearing,
            open_streams=self.open_streams,
            new_decoder=new_decoder,
            segmenting=self.segmenting,
            now=lambda: self.now().timestamp(),
            new_holder=lambda: f"holder {next(self._holders)}",
            status_of=lambda error: status_of(error, "cortex.transcriber"),
            limits=self.limits,
        )

    async def heard(self, frames: int) -> None:
        """Wait until some peer's first so many frames were listened to."""
        attended = self.hearing._attended
        async with asyncio.timeout(PATIENCE):
            await self.hearing.until(
                lambda: any(peer.next_sequence >= frames for peer in attended) and not self.hearing._ready
            )

    def replica(self) -> "Stage":
        """Another process on the same servers."""
        return replace(self, recognition=Recognition())

    @asynccontextmanager
    async def bot(self, *, project_id: str = PROJECT, language: str = "", **opening: object) -> AsyncIterator["Bot"]:
        """An open stream; it breaks off at the end of the context if it is still open."""
        stream = AudioStream(
            pb.Open(project_id=project_id, session_id=SESSION, **opening), Origin(project_id), self.parts
        )
        bot = Bot(stream)
        with self.open_streams.opened(stream):
            listening = asyncio.create_task(self.hearing.listen())  # one of them is enough, more do no harm
            bot.run(ActiveSession(PROJECT, SESSION, SESSION_ZERO, language))
            try:
                yield bot
            finally:
                await bot.break_off()
                listening.cancel()
                await asyncio.wait([listening])


class Bot:
    """A bot's end of a stream."""

    def __init__(self, stream: AudioStream) -> None:
        self.stream = stream
        self.answers: list[pb.StreamAudioResponse] = []
        self._requests: asyncio.Queue[pb.StreamAudioRequest | None] = asyncio.Queue()
        self._changed = asyncio.Condition()

    def run(self, session: ActiveSession) -> None:
        """Open the stream."""
        self._running = asyncio.create_task(self.stream.run(session, self._asked()))
        self._listening = asyncio.create_task(self._listen())

    async def break_off(self) -> None:
        """The connection is gone."""
        self._running.cancel()
        await asyncio.wait([self._running])
        self._listening.cancel()
        await asyncio.wait([self._listening])

    def say(self, **message: object) -> None:
        """Send a message."""
        self._requests.put_nowait(pb.StreamAudioRequest(**message))

    def join(self, peer: int = 1, peer_id: str = "peer-1", resume_from: int = 0, rate: int = SAMPLE_RATE) -> None:
        """Introduce a peer."""
        self.say(peer_joined=joined(peer, peer_id, resume_from, rate))

    def hear(self, frames: list[bytes], first: int = 0, peer: int = 1, at_once: int = 5) -> None:
        """Send frames."""
        for at in range(0, len(frames), at_once):
            self.say(frames=pb.Frames(peer=peer, first_sequence=first + at, payloads=frames[at : at + at_once]))

    def half_close(self) -> None:
        """Send nothing more."""
        self._requests.put_nowait(None)

    async def until(self, kind: str, count: int = 1) -> list[pb.StreamAudioResponse]:
        """Wait for so many answers of a kind; all of them."""
        await self.when(lambda: len(self.of(kind)) >= count)
        return self.of(kind)

    async def when(self, holds: Callable[[], bool]) -> None:
        """Wait until the answers are as they should be."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(holds)

    async def closed(self) -> None:
        """Wait for the end of the stream; raises what it ended with."""
        async with asyncio.timeout(PATIENCE):
            await self._listening
            await self._running

    def of(self, kind: str) -> list[pb.StreamAudioResponse]:
        """The answers of a kind so far."""
        return [answer for answer in self.answers if answer.WhichOneof("message") == kind]

    @property
    def unread(self) -> int:
        """How many messages the stream has not asked for."""
        return self._requests.qsize()

    @property
    def acknowledged(self) -> int:
        """Up to where the peers' audio is accounted for, as far as was told."""
        return max([answer.acknowledged.through_sequence for answer in self.of("acknowledged")], default=-1)

    async def _asked(self) -> AsyncIterator[pb.StreamAudioRequest]:
        while (request := await self._requests.get()) is not None:
            yield request

    async def _listen(self) -> None:
        async for answer in self.stream.outbox:
            async with self._changed:
                self.answers.append(answer)
                self._changed.notify_all()


def joined(peer: int = 1, peer_id: str = "peer-1", resume_from: int = 0, rate: int = SAMPLE_RATE) -> pb.PeerJoined:
    """An introduction."""
    audio = WrittenFormat(
        encoding=ENCODING_PCM_S16LE, sample_rate=rate, frame_duration=span(timedelta(milliseconds=FRAME_MS))
    )
    return pb.PeerJoined(
        peer=peer,
        peer_id=peer_id,
        user_id="ada",
        format=audio,
        sequence_zero_at=stamp(PEER_ZERO),
        resume_from=resume_from,
    )
