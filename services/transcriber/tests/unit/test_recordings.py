"""Whole files become audio: right ones exactly, hostile ones never."""

import asyncio
import struct
import tracemalloc

import numpy as np
import pytest
from cortex_transcriber.adapters.av_recording import AvRecording, to_mono
from cortex_transcriber.adapters.decoders import new_decoder
from cortex_transcriber.recordings.hearing import MOST_UNHEARD, Ears, Progress, Recordings
from cortex_transcriber.recordings.limits import RecordingLimits
from cortex_transcriber.recordings.refusing import CutOff, Damaged, RecordingRefused, TooLarge, TooLong, TooMany
from cortex_transcriber.speech.decoding import Pcm
from cortex_transcriber.speech.events import SegmentReady
from cortex_transcriber.speech.recogniser import Recognised
from cortex_transcriber.speech.segmenting import Segmenting

from services.transcriber.tests.hearing import LoudnessDetector
from services.transcriber.tests.recorded import (
    WAV_ALAW,
    WAV_FLOAT,
    WAV_MULAW,
    flac,
    ogg_opus,
    wav,
    without_total,
)

pytestmark = pytest.mark.unit

RATE = 16_000


def tone(seconds: float, rate: int = RATE, level: float = 0.5) -> Pcm:
    """A tone of 400 Hz."""
    at = np.arange(int(seconds * rate)) / rate
    return (level * 32_767 * np.sin(2 * np.pi * 400 * at)).astype(np.int16)


def silence(seconds: float, rate: int = RATE) -> Pcm:
    return np.zeros(int(seconds * rate), dtype=np.int16)


def decoded(data: bytes) -> Pcm:
    """All of a file."""
    recording = AvRecording(data)
    pieces = []
    while (piece := recording.read()) is not None:
        pieces.append(piece)
    return np.concatenate(pieces)


class TestDecoding:
    def test_pcm_at_16_khz_is_exact(self) -> None:
        """A WAV or FLAC of the model's own rate reaches it bit by bit."""
        pcm = np.random.default_rng(1).integers(-32_768, 32_767, 3 * RATE, dtype=np.int16)
        assert np.array_equal(decoded(wav(pcm)), pcm)
        assert np.array_equal(decoded(flac(pcm)), pcm)

    @pytest.mark.parametrize("rate", [8_000, 24_000, 44_100, 48_000, 96_000])
    def test_other_rates_are_converted(self, rate: int) -> None:
        """The same length and the same tone, at 16 kHz."""
        heard = decoded(wav(tone(2, rate), rate))
        assert abs(len(heard) - 2 * RATE) <= 2
        middle = slice(RATE // 2, RATE)
        assert np.abs(heard[middle].astype(int) - tone(2)[middle].astype(int)).max() < 300

    def test_opus_has_its_length(self) -> None:
        """Ogg Opus is decoded without a shift of its length."""
        heard = decoded(ogg_opus(tone(2, 48_000)))
        assert abs(len(heard) - 2 * RATE) < RATE // 50
        assert np.abs(heard[RATE // 2 : RATE].astype(int)).max() > 12_000

    @pytest.mark.parametrize(
        ("samples", "form"),
        [
            (tone(1).astype(np.float32) / 32_768, WAV_FLOAT),
            (tone(1).astype(np.float64) / 32_768, WAV_FLOAT),
            (tone(1).astype(np.int32) << 16, 1),
            ((tone(1) / 256 + 128).astype(np.uint8), 1),
        ],
    )
    def test_other_samples_are_understood(self, samples: np.ndarray, form: int) -> None:
        """Floats, 32 and 8 bit say the same."""
        assert np.abs(decoded(wav(samples, form=form)).astype(int) - tone(1).astype(int)).max() <= 260

    @pytest.mark.parametrize("form", [WAV_ALAW, WAV_MULAW])
    def test_g711_is_understood(self, form: int) -> None:
        """A telephone's recording is decoded."""
        codes = np.random.default_rng(2).integers(0, 255, 8_000, dtype=np.uint8)
        assert len(decoded(wav(codes, 8_000, form=form))) == pytest.approx(RATE, abs=2)

    def test_stereo_is_mixed(self) -> None:
        """Both channels are heard."""
        both = np.stack((tone(1), silence(1)), axis=1)
        heard = decoded(wav(both, channels=2))
        assert np.abs(heard.astype(int) - tone(1).astype(int) // 2).max() <= 1

    def test_what_is_no_number_is_silence(self) -> None:
        """NaN and infinity neither stop anything nor become noise."""
        samples = np.array([np.nan, np.inf, -np.inf, 1e30, 0.25], dtype=np.float32)
        assert list(to_mono(samples[None], 1, planar=True)) == [0, 32_767, -32_768, 32_767, 8_192]

    def test_unknown_lengths_are_taken(self) -> None:
        """Files that were written to a pipe do not know their length."""
        pcm = tone(1)
        assert len(decoded(wav(pcm, promised=0xFFFFFFFF))) == len(pcm)
        assert len(decoded(without_total(flac(pcm)))) == len(pcm)


class TestHostileFiles:
    @pytest.mark.parametrize(
        "data",
        [
            b"x",
            b"ID3\x04" + bytes(100),
            b"RIFF\x00\x00\x00\x00AVI " + bytes(100),
            b"RF64" + bytes(100),
        ],
    )
    def test_other_files_are_refused(self, data: bytes) -> None:
        """The error says what is taken."""
        with pytest.raises(RecordingRefused, match="must be a WAV, FLAC or Ogg Opus file"):
            AvRecording(data)

    @pytest.mark.parametrize("data", [wav(tone(2)), ogg_opus(tone(2, 48_000)), flac(tone(2))])
    @pytest.mark.parametrize("part", [0.3, 0.9])
    def test_cut_off_files_are_refused(self, data: bytes, part: float) -> None:
        """What is missing shall not be missing silently."""
        with pytest.raises((CutOff, Damaged)):
            decoded(data[: int(len(data) * part)])

    @pytest.mark.parametrize(
        ("rate", "channels", "rule"),
        [
            (0, 1, "cannot be decoded|sample rate"),
            (1, 1, "sample rate of 8000 to 192000 Hz"),
            (4_000_000_000, 1, "cannot be decoded|sample rate"),
            (16_000, 0, "cannot be decoded|mono or stereo"),
            (16_000, 6, "mono or stereo"),
            (16_000, 65_535, "cannot be decoded|mono or stereo"),
        ],
    )
    def test_headers_that_lie_are_refused(self, rate: int, channels: int, rule: str) -> None:
        """Rates and channels that no recording has are refused, whatever FFmpeg makes of them."""
        with pytest.raises(RecordingRefused, match=rule):
            decoded(wav(tone(1), rate, channels))

    def test_a_header_without_end_is_refused(self) -> None:
        """Chunks of no length are not walked through for ever."""
        with pytest.raises(Damaged):
            AvRecording(b"RIFF\x00\x00\x00\x00WAVE" + b"junk\x00\x00\x00\x00" * 100_000)

    def test_other_codecs_are_refused(self) -> None:
        """A WAV that holds another codec, or an Ogg that holds no Opus, opens no decoder."""
        with pytest.raises(RecordingRefused):
            AvRecording(wav(tone(1), form=0x55))
        page = b"OggS\x00\x02" + bytes(20) + b"\x01\x1e" + b"\x01vorbis" + bytes(23)
        with pytest.raises(RecordingRefused):
            AvRecording(page)

    @pytest.mark.parametrize("make", [flac, ogg_opus])
    def test_noise_inside_is_refused_or_heard(self, make: object) -> None:
        """A file with its middle overwritten ends in an error of ours or in audio, and in nothing else."""
        data = bytearray(make(tone(3, 48_000)))  # type: ignore[operator]
        rng = np.random.default_rng(3)
        for _ in range(30):
            at = int(rng.integers(60, len(data) - 200))
            broken = bytes(data[:at]) + rng.bytes(100) + bytes(data[at + 100 :])
            try:
                assert len(decoded(broken)) < 60 * RATE
            except RecordingRefused:
                continue


class Words:
    """Says which utterance it was, once it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.may.set()
        self.were_asked = asyncio.Event()
        self.expected = 1
        self.asked: list[SegmentReady] = []

    async def __call__(self, segment: SegmentReady) -> Recognised:
        self.asked.append(segment)
        if len(self.asked) >= self.expected:
            self.were_asked.set()
        await self.may.wait()
        return Recognised(f"{segment.first_sequence}-{segment.last_sequence}", 0.9, 1, "en", "fake")


def recordings(limits: RecordingLimits | None = None) -> Recordings:
    ears = Ears(AvRecording, LoudnessDetector(), new_decoder, Segmenting())
    return Recordings(ears, limits or RecordingLimits())


class TestHearing:
    async def test_utterances_have_their_times(self) -> None:
        """Two tones are two utterances, with a little padding around each."""
        pcm = np.concatenate((silence(1), tone(1), silence(1.5), tone(0.5), silence(0.995)))
        heard = await recordings().hear(wav(pcm), Words())
        assert heard.duration == pytest.approx(4.995)
        (first, second) = heard.utterances
        assert (first.start, first.end) == pytest.approx((0.9, 2.1), abs=0.06)
        assert (second.start, second.end) == pytest.approx((3.4, 4.1), abs=0.06)

    async def test_the_last_word_is_heard(self) -> None:
        """Speech up to the last sample, in no whole number of frames, ends with the recording."""
        heard = await recordings().hear(wav(tone(1.013)), Words())
        assert [utterance.end for utterance in heard.utterances] == [pytest.approx(1.013, abs=0.001)]

    async def test_where_nobody_speaks_nothing_is_said(self) -> None:
        """Silence is a recording without utterances."""
        words = Words()
        assert (await recordings().hear(wav(silence(3)), words)).utterances == ()
        assert words.asked == []

    async def test_progress_is_told(self) -> None:
        """A long recording says how far it was heard."""
        told: list[Progress] = []
        await recordings().hear(wav(silence(25)), Words(), told.append)
        assert [progress.promised for progress in told] == [25.0] * len(told)
        assert [progress.heard for progress in told][-1] == 25.0
        assert len(told) >= 3

    async def test_only_so_many_utterances_wait(self) -> None:
        """A recogniser that is busy stops the decoding, so that memory stays bounded."""
        words = Words()
        words.may.clear()
        words.expected = MOST_UNHEARD + 1
        pcm = np.concatenate([np.concatenate((tone(0.5), silence(1)))] * 30)
        hearing = asyncio.create_task(recordings().hear(wav(pcm), words))
        await words.were_asked.wait()
        assert len(words.asked) == MOST_UNHEARD + 1
        words.may.set()
        heard = await hearing
        assert len(heard.utterances) == 30
        assert [utterance.start for utterance in heard.utterances] == sorted(u.start for u in heard.utterances)

    @pytest.mark.parametrize(
        ("data", "error"),
        [
            (b"", RecordingRefused),
            (wav(silence(0)), RecordingRefused),
            (wav(silence(100)), TooLarge),
            (wav(silence(11)), TooLong),
            (flac(silence(3_600)), TooLong),
            (without_total(flac(silence(3_600))), TooLong),
            (ogg_opus(silence(40, 48_000)), TooLong),
        ],
    )
    async def test_limits_are_kept(self, data: bytes, error: type[Exception]) -> None:
        """Too many bytes, too many seconds, and none at all: each error names its rule."""
        limited = recordings(RecordingLimits(largest_bytes=2_000_000, longest_s=10))
        with pytest.raises(error, match="audio must"):
            await limited.hear(data, Words())

    async def test_a_bomb_is_found_early(self) -> None:
        """Ten minutes of silence in a few bytes are refused after the allowed seconds, in little memory."""
        bomb = without_total(flac(silence(600)))
        limited = recordings(RecordingLimits(longest_s=60))
        tracemalloc.start()
        try:
            with pytest.raises(TooLong):
                await limited.hear(bomb, Words())
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()

    async def test_only_so_many_are_heard_at_once(self) -> None:
        """One more is refused and told when to come again; afterwards there is room."""
        one_at_a_time, words = recordings(RecordingLimits(at_once=1)), Words()
        words.may.clear()
        first = asyncio.create_task(one_at_a_time.hear(wav(tone(1)), words))
        await words.were_asked.wait()
        with pytest.raises(TooMany) as refused:
            await one_at_a_time.hear(wav(tone(1)), words)
        assert refused.value.retry_after.total_seconds() > 0
        words.may.set()
        await first
        assert (await one_at_a_time.hear(wav(tone(1)), words)).utterances

    async def test_a_failing_model_ends_it(self) -> None:
        """Words that cannot be had are not left out."""

        async def failing(_segment: SegmentReady) -> Recognised:
            raise ConnectionError("model")

        with pytest.raises(ConnectionError):
            await recordings().hear(wav(np.concatenate([tone(0.5), silence(1)] * 3)), failing)


def test_the_promise_of_a_wav_is_read_behind_other_chunks() -> None:
    """Chunks before the audio, of an odd length too, are passed over."""
    data = wav(tone(1))
    listed = data[:12] + b"JUNK" + struct.pack("<I", 3) + b"abc\x00" + data[12:]
    assert np.array_equal(decoded(listed), tone(1))
