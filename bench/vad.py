"""`vad`: audio seconds that are listened to in a CPU second, against the wheel's graph, one chunk a call.

Ours is what a turn of the transcriber's hearing does once audio is in the streams' buffers: the gate, gathering chunks,
one call for many of them, and the cuts. Taking frames in is not counted (it is ingest), neither is any recognition. The
floor only finds probabilities; it passes over nothing.
"""

import time
from collections.abc import Sequence

import numpy as np
from conversations import Conversation, Pcm, Track, conversations
from cortex_transcriber.adapters.silero import load_silero
from cortex_transcriber.settings import SHIPPED_MODEL
from cortex_transcriber.shipped_model import RECORDINGS_FOLDER
from cortex_transcriber.speech.batching import VadBatcher
from cortex_transcriber.speech.decoding import PcmDecoder, to_float
from cortex_transcriber.speech.events import Event, SegmentReady
from cortex_transcriber.speech.frames import AudioFormat
from cortex_transcriber.speech.segmenting import Cut, Cutter, Decision, Segmenting
from cortex_transcriber.speech.stream import SpeakerStream
from cortex_transcriber.speech.voice_detector import CHUNK, CONTEXT, Floats, VoiceDetector
from floors.silero import Silero, fresh
from harness import Bar, Pairs, check, in_turn, measure, progress

BAR = Bar(5.0)
ROUNDS = 9
"""Fewer than elsewhere: these are CPU seconds of deterministic work, which a busy machine disturbs less."""

AUDIO = AudioFormat(16_000, 20)
MESSAGE = 5
"""Frames that a bot sends at a time, 100 ms; a turn of hearing comes every frame."""

APART = 2
"""Frames between the messages of one room and of the next: bots do not wait for each other."""

PROBABILITY = 1e-3
"""How far a probability may be from the floor's."""

EDGE = 3
"""Frames, 60 ms, by which a cut may be elsewhere because of the gate: less than the padding of 100 ms around speech."""

Cuts = Sequence[tuple[int, int]]
Heard = list[tuple[SpeakerStream, Event]]


class Listening:
    """Turns of hearing over all rooms, as they would come in real time."""

    def __init__(self, detector: VoiceDetector, rooms: Sequence[Conversation]) -> None:
        self._batcher = VadBatcher(detector)
        self._rooms = rooms
        self.cuts: Sequence[Cuts] = ()

    async def block(self) -> float:
        """Audio seconds in a CPU second."""
        senders = [_Sender(track, index * APART) for index, room in enumerate(self._rooms) for track in room]
        streams = [sender.stream for sender in senders]
        heard: Heard = []
        used = 0.0
        for frame in range(max(sender.ends for sender in senders) + 1):
            given = [sender.stream for sender in senders if sender.send(frame)]
            began = time.process_time()
            self._turn(given, heard)
            used += time.process_time() - began
        self.cuts = [_cuts(stream, heard) for stream in streams]
        return seconds_of(self._rooms) / used

    def _turn(self, given: Sequence[SpeakerStream], heard: Heard) -> None:
        ready = [stream for stream in given if stream.ready]
        while ready:
            heard.extend(self._batcher.listen(ready))
            ready = [stream for stream in ready if stream.ready]


class _Sender:
    """One speaker's client and the stream that takes what it sends."""

    def __init__(self, track: Track, later: int) -> None:
        self.stream = SpeakerStream(AUDIO, PcmDecoder(AUDIO, None), Segmenting())
        data = track.pcm.astype("<i2").tobytes()
        size = AUDIO.frame_bytes
        self._frames = [data[at : at + size] for at in range(0, len(data) - size + 1, size)]
        self._later = later
        self.ends = later + len(self._frames) + MESSAGE

    def send(self, frame: int) -> bool:
        """Send what is due at this time, counted in frames; whether there was anything."""
        at = frame - self._later - MESSAGE  # a message leaves when its last frame is complete
        message = at % MESSAGE == 0 and 0 <= at < len(self._frames)
        if message:
            self.stream.push(at, self._frames[at : at + MESSAGE])
        if frame == self.ends:
            self.stream.end()
        return message or frame == self.ends


def _cuts(stream: SpeakerStream, heard: Heard) -> Cuts:
    segments = [event for of, event in heard if of is stream and isinstance(event, SegmentReady)]
    return [(segment.first_sequence, segment.last_sequence) for segment in segments]


class Floor:
    """The plain loop over each track."""

    def __init__(self, silero: Silero, rooms: Sequence[Conversation]) -> None:
        self._silero, self._rooms = silero, rooms

    async def block(self) -> float:
        """Audio seconds in a CPU second."""
        began = time.process_time()
        for track in tracks_of(self._rooms):
            self._silero.hear(track.pcm)
        return seconds_of(self._rooms) / (time.process_time() - began)


class OneByOne:
    """The floor's graph in the place of our detector, and beside it: what our figures are compared with.

    Its own states are handed on from call to call, so that differences would add up as they do in a stream.
    """

    def __init__(self, silero: Silero, ours: VoiceDetector | None = None) -> None:
        self._silero, self._ours = silero, ours
        self._beside: dict[bytes, Floats] = {}
        self.differences: list[float] = []

    def probabilities(self, chunks: Pcm, lengths: Sequence[int], states: Floats) -> tuple[Floats, Floats]:
        """How likely each chunk is speech, by our detector if there is one."""
        before = [self._beside.get(states[:, stream].tobytes(), states[:, [stream]]) for stream in range(len(lengths))]
        theirs, after = self._judge(chunks, lengths, before)
        if self._ours is None:
            return theirs, np.concatenate(after, axis=1)
        found, remembered = self._ours.probabilities(chunks, lengths, states)
        self._beside |= {remembered[:, stream].tobytes(): state for stream, state in enumerate(after)}
        self.differences.extend(np.abs(found - theirs).tolist())
        return found, remembered

    def _judge(self, chunks: Pcm, lengths: Sequence[int], states: list[Floats]) -> tuple[Floats, list[Floats]]:
        rows, found, after = iter(to_float(chunks)), [], []
        for length, state in zip(lengths, states, strict=True):
            for _ in range(length):
                probability, state = self._silero.judge(next(rows)[np.newaxis], state)  # noqa: PLW2901
                found.append(probability)
            after.append(state)
        return np.array(found, dtype=np.float32), after


def cuts_without_gate(silero: Silero, pcm: Pcm) -> Cuts:
    """Where the cut logic cuts a track of which the floor's graph judges every chunk, one a call."""
    cutter, state, cuts = Cutter(Segmenting(), AUDIO.frame_samples), fresh(), list[Decision]()
    padded = np.concatenate([np.zeros(CONTEXT, dtype=np.int16), pcm])
    while (at := cutter.position) + CHUNK <= len(pcm):
        row = to_float(padded[at : at + CONTEXT + CHUNK])[np.newaxis]
        if cutter.fresh:
            state, row[0, :CONTEXT] = fresh(), 0
        probability, state = silero.judge(row, state)
        cuts += cutter.judged(probability, float(np.square(row[0, CONTEXT:]).mean()))
    cuts += cutter.stop(len(pcm) // AUDIO.frame_samples * AUDIO.frame_samples)
    size = AUDIO.frame_samples
    return [(cut.start // size, cut.end // size - 1) for cut in cuts if isinstance(cut, Cut) and cut.stats]


def tracks_of(rooms: Sequence[Conversation]) -> Sequence[Track]:
    """The tracks of all rooms."""
    return [track for room in rooms for track in room]


def seconds_of(rooms: Sequence[Conversation]) -> float:
    """The length of all tracks together."""
    return sum(track.seconds for track in tracks_of(rooms))


async def check_figures(silero: Silero, ours: VoiceDetector, rooms: Sequence[Conversation]) -> None:
    """Our probabilities are the floor's, and so are the cuts."""
    beside = OneByOne(silero, ours)
    listening, same = Listening(beside, rooms), Listening(OneByOne(silero), rooms)
    await listening.block()
    await same.block()
    furthest = max(beside.differences)
    check(furthest <= PROBABILITY, f"a probability is {furthest:.1e} from that of the wheel's graph")
    check(listening.cuts == same.cuts, "other cuts than with the wheel's graph")
    print(f"  vad: {len(beside.differences)} chunks judged, probabilities at most {furthest:.1e} from the floor's")
    check_gate(listening.cuts, [cuts_without_gate(silero, track.pcm) for track in tracks_of(rooms)])


def check_gate(ours: Sequence[Cuts], ungated: Sequence[Cuts]) -> None:
    """The gate loses no speech: every utterance is there, cut in nearly the same place."""
    check([len(cuts) for cuts in ours] == [len(cuts) for cuts in ungated], "the gate changes how many cuts there are")
    moved = [
        abs(one - other)
        for cuts, others in zip(ours, ungated, strict=True)
        for mine, theirs in zip(cuts, others, strict=True)
        for one, other in zip(mine, theirs, strict=True)
    ]
    check(max(moved) <= EDGE, f"the gate moves an edge by {max(moved)} frames")
    print(f"  vad: {sum(map(bool, moved))} of {len(moved)} edges moved by the gate, at most {max(moved)} frames")


async def main() -> None:
    """Check, and measure."""
    rooms = conversations(SHIPPED_MODEL / RECORDINGS_FOLDER)
    silero, ours = Silero(), load_silero()
    progress("vad: checking")
    await check_figures(silero, ours, rooms)
    figures = await in_turn([Listening(ours, rooms).block, Floor(silero, rooms).block], ROUNDS, "vad")
    Pairs(*figures).report("vad", "audio seconds in a CPU second", BAR)


if __name__ == "__main__":
    measure(main())
