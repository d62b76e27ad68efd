"""What is not speech, and what stands between it and a text: the detector's and the model's opinion of each segment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from cortex_client.unacknowledged import LOST
from cortex_transcriber.speech.events import SegmentReady
from cortex_transcriber.speech.pcm import to_float
from cortex_transcriber.speech.plausibility import was_said
from cortex_transcriber.speech.recogniser import Recogniser
from cortex_transcriber.speech.voice_detector import VoiceDetector

from bench.conversations import RATE, Pcm
from scripts.speech.conditions import PCM, Sent, packed
from scripts.speech.service import Service
from scripts.speech.sounds import SOUNDS, pcm_of
from scripts.speech.spoiling import babble, fitted
from scripts.speech.voices import Voice, whole_frames
from services.transcriber.tests.hearing import Room

TONES = ("low tone", "tone", "high tone", "hum", "telephone", "sweep", "square", "full scale square")
STRUCK = ("clicks", "keys", "knocks", "coughs")
MUSIC = ("melody", "chords", "organ", "buzz")
CLIPS_MS = (60, 100, 150)
CLIPS = 20
"""Clips on a track, each from another place of a voice."""

BABBLE_S = 20
LISTEN_EVERY = 100
"""Frames: two seconds, far less than may wait to be listened to."""


@dataclass(frozen=True)
class Opinion:
    """What detector and model thought of a segment: the detector's highest probability, the model's confidence."""

    highest: float
    confidence: float
    believed: bool


@dataclass(frozen=True)
class Group:
    """Sounds of a kind.

    Attributes:
        tracks: how many.
        seconds: of all of them.
        model_alone: tracks in which the model hears words when it is given them whole.
        opinions: of every segment that the detector let through.
        utterances: that came out of the service.
    """

    name: str
    tracks: int
    seconds: float
    model_alone: int
    opinions: Sequence[Opinion]
    utterances: int


@dataclass(frozen=True)
class Ears:
    """The pipeline's parts, in this process."""

    recogniser: Recogniser
    detector: VoiceDetector

    def opinions(self, sent: Sent) -> Sequence[Opinion]:
        """Of every segment of a track."""
        return [self._opinion(cut) for cut in self._cuts(sent)]

    def _cuts(self, sent: Sent) -> Sequence[SegmentReady]:
        room = Room()
        stream = room.speaker_in(sent.audio)
        events = []
        for sequence, frame in enumerate(sent.frames):
            if frame is None:
                stream.silent_through(sequence)
            elif frame != LOST:
                stream.push(sequence, [frame])
            if sequence % LISTEN_EVERY == 0:
                events += room.listen(stream, self.detector)
        stream.end()
        events += room.listen(stream, self.detector)
        return [event for event in events if isinstance(event, SegmentReady)]

    def _opinion(self, cut: SegmentReady) -> Opinion:
        heard = self.recogniser.recognise(cut.samples)
        return Opinion(cut.stats.highest, heard.confidence, was_said(heard, cut.stats))

    def has_words(self, pcm: Pcm) -> bool:
        """Whether the model alone makes words of a track."""
        return any(letter.isalnum() for letter in self.recogniser.recognise(to_float(pcm)).text)


async def groups(ears: Ears, service: Service, voices: Sequence[Voice]) -> Sequence[Group]:
    """Every kind, heard in this process and by the service."""
    return [await _group(name, tracks, ears, service) for name, tracks in _tracks(voices).items()]


def _tracks(voices: Sequence[Voice]) -> Mapping[str, Sequence[Pcm]]:
    plain = [name for name in SOUNDS if name not in (*TONES, *STRUCK, *MUSIC)]
    kinds = {"silence and noise": plain, "tones": TONES, "clicks, keys, knocks, coughs": STRUCK, "music": MUSIC}
    tracks = {kind: [pcm_of(SOUNDS[name]()) for name in names] for kind, names in kinds.items()}
    for ms in CLIPS_MS:
        tracks[f"clips of speech, {ms} ms"] = [_clips(voice, ms) for voice in voices]
    tracks["babble alone"] = [_babble(voice, voices) for voice in voices]
    return tracks


def _clips(voice: Voice, ms: int) -> Pcm:
    """Pieces out of somebody's speech, a second of silence between them."""
    random = np.random.default_rng(ms)
    length, speech = ms * RATE // 1_000, voice.speech
    starts = random.integers(0, len(speech) - length, CLIPS)
    silence = np.zeros(RATE, dtype=np.int16)
    return np.concatenate([piece for start in starts for piece in (speech[start : start + length], silence)])


def _babble(voice: Voice, voices: Sequence[Voice]) -> Pcm:
    """All the others at once, as loud as one of them is in the noise at 10 dB."""
    others = [other for other in voices if other is not voice]
    sound = babble(others, BABBLE_S * RATE, np.random.default_rng(len(voice.name)))
    return fitted(sound / np.abs(sound).max() * 3_000)


async def _group(name: str, tracks: Sequence[Pcm], ears: Ears, service: Service) -> Group:
    tracks = [whole_frames(pcm) for pcm in tracks]
    sent = [Sent(PCM, packed(pcm, PCM)) for pcm in tracks]
    utterances = [len(await service.finals([each])) for each in sent]
    return Group(
        name=name,
        tracks=len(tracks),
        seconds=sum(len(pcm) for pcm in tracks) / RATE,
        model_alone=sum(ears.has_words(pcm) for pcm in tracks),
        opinions=[opinion for each in sent for opinion in ears.opinions(each)],
        utterances=sum(utterances),
    )
