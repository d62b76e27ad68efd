import numpy as np
import pytest
import soxr
from cortex_transcriber.adapters.decoders import new_decoder
from cortex_transcriber.adapters.soxr_resampler import SoxrResampler
from cortex_transcriber.speech.decoding import Pcm
from cortex_transcriber.speech.frames import AudioFormat, AudioRefused, Encoding
from cortex_transcriber.speech.unpacking import unpack
from cortex_transcriber.stream.resuming import preroll_frames

from services.transcriber.tests.formats import packed, payloads_of

pytestmark = pytest.mark.unit


def test_a_sequence_number_stands_for_its_time() -> None:
    """Times follow from sequence numbers alone."""
    audio = AudioFormat(48_000, 20)
    assert (audio.starts_at_ms(50), audio.ends_at_ms(50)) == (1_000, 1_020)
    assert (audio.frame_bytes, audio.frame_samples) == (1_920, 320)


@pytest.mark.parametrize(
    ("rate", "frame_ms", "encoding", "channels", "field"),
    [
        (22_050, 20, Encoding.PCM_S16LE, 1, "sample_rate"),
        (0, 20, Encoding.PCM_S16LE, 1, "sample_rate"),
        (16_000, 20, Encoding.MULAW, 1, "sample_rate"),
        (48_000, 20, Encoding.ALAW, 1, "sample_rate"),
        (44_100, 20, Encoding.OPUS, 1, "sample_rate"),
        (16_000, 9, Encoding.PCM_S16LE, 1, "frame_duration"),
        (16_000, 101, Encoding.PCM_S16LE, 1, "frame_duration"),
        (44_100, 25, Encoding.PCM_F32LE, 1, "frame_duration"),
        (48_000, 12, Encoding.OPUS, 1, "frame_duration"),
        (16_000, 20, Encoding.PCM_S16LE, 0, "channels"),
        (16_000, 20, Encoding.PCM_S16LE, 3, "channels"),
    ],
)
def test_other_formats_are_refused(rate: int, frame_ms: int, encoding: Encoding, channels: int, field: str) -> None:
    """The error names the field."""
    with pytest.raises(AudioRefused) as refused:
        AudioFormat(rate, frame_ms, encoding, channels)
    assert refused.value.field == field


NAN = np.float32("nan").tobytes()
INFINITY = np.float32("-inf").tobytes()
FLOATS = AudioFormat(16_000, 10, Encoding.PCM_F32LE)
STEREO = AudioFormat(8_000, 10, Encoding.ALAW, 2)
OPUS = AudioFormat(48_000, 20, Encoding.OPUS)


@pytest.mark.parametrize(
    ("audio", "good", "payload", "rule"),
    [
        (AudioFormat(16_000, 20), bytes(640), b"", "silent_through"),
        (AudioFormat(16_000, 20), bytes(640), bytes(641), "whole samples of 2 bytes"),
        (AudioFormat(16_000, 20), bytes(640), bytes(638), "must be 640"),
        (AudioFormat(16_000, 20), bytes(640), bytes(9_999_998), "must be 640"),
        (FLOATS, bytes(640), bytes(642), "whole samples of 4 bytes"),
        (FLOATS, bytes(640), NAN + bytes(636), "finite"),
        (FLOATS, bytes(640), bytes(636) + INFINITY, "finite"),
        (STEREO, bytes(160), bytes(159), "whole samples of 1 bytes, 2 at a time"),
        (STEREO, bytes(160), bytes(80), "must be 160"),
        (OPUS, b"\x78", b"", "silent_through"),
        (OPUS, b"\x78", b"\x70", "an Opus packet of 20 ms"),
        (OPUS, b"\x78", b"\x79", "an Opus packet of 20 ms"),
        (OPUS, b"\x78", b"\x7b", "an Opus packet of 20 ms"),
        (OPUS, b"\x78", b"\x78" + bytes(1_276), "at most 1275"),
    ],
)
def test_a_payload_that_is_no_frame_is_refused(audio: AudioFormat, good: bytes, payload: bytes, rule: str) -> None:
    """Each is told with its place and the rule that it breaks."""
    with pytest.raises(AudioRefused, match=rule) as refused:
        new_decoder(audio).check([good, payload])
    assert refused.value.field == "payloads[1]"


def test_what_is_too_loud_is_clipped() -> None:
    """Float samples beyond full scale become full scale, not something else."""
    loud = np.array([0.5, 1, 1.5, -1, -7, 3e38] + [0] * 154, dtype="<f4").tobytes()
    decoder = new_decoder(FLOATS)
    decoder.check([loud])
    assert list(decoder.decode([loud])[:6]) == [16_384, 32_767, 32_767, -32_768, -32_768, 32_767]


def test_pcm_at_16_khz_is_kept_as_it_is() -> None:
    """Bit for bit, also when it was written as fractions."""
    pcm = np.random.default_rng(5).integers(-32_768, 32_768, 320).astype(np.int16)
    for encoding in (Encoding.PCM_S16LE, Encoding.PCM_F32LE):
        audio = AudioFormat(16_000, 10, encoding)
        assert np.array_equal(new_decoder(audio).decode(packed(pcm, audio)), pcm)


def test_two_channels_are_heard_as_their_average() -> None:
    """A voice on one side is not lost, and one on both not louder."""
    audio = AudioFormat(16_000, 10, channels=2)
    sides = np.array([[100, 300], [-32_768, -32_768], [32_767, 32_767], [8_000, 0]] + [[0, 0]] * 156, dtype=np.int16)
    assert list(new_decoder(audio).decode(packed(sides.ravel(), audio))[:4]) == [200, -32_768, 32_767, 4_000]


FORMATS = [
    AudioFormat(8_000, 20),
    AudioFormat(24_000, 15),
    AudioFormat(44_100, 10),
    AudioFormat(44_100, 100, Encoding.PCM_F32LE),
    AudioFormat(48_000, 20, Encoding.PCM_F32LE),
    AudioFormat(48_000, 10, channels=2),
    AudioFormat(8_000, 30, Encoding.MULAW),
    AudioFormat(8_000, 10, Encoding.ALAW, channels=2),
]


def tone(seconds: int, rate: int) -> Pcm:
    """A sine of 440 Hz."""
    return (8_000 * np.sin(2 * np.pi * 440 * np.arange(seconds * rate) / rate)).astype(np.int16)


@pytest.mark.parametrize("audio", FORMATS, ids=str)
@pytest.mark.parametrize("at_once", [1, 3, 50])
def test_resampling_leaves_no_joints_between_frames(audio: AudioFormat, at_once: int) -> None:
    """However the frames come, a tone is what a conversion in one go makes of it, and as long as its frames."""
    payloads = payloads_of(tone(2, audio.sample_rate), audio.sample_rate, audio)
    decoder = new_decoder(audio)
    pieces = [decoder.decode(payloads[at : at + at_once]) for at in range(0, len(payloads), at_once)]
    heard = np.concatenate([*pieces, decoder.flush()])
    whole = soxr.resample(unpack(audio, b"".join(payloads)).astype(np.float32), audio.sample_rate, 16_000)
    assert np.abs(heard - whole).max() <= 0.51
    assert len(heard) == len(payloads) * audio.frame_samples
    assert sum(map(len, pieces)) < len(heard)


@pytest.mark.parametrize("audio", FORMATS, ids=str)
def test_after_a_flush_a_decoder_is_as_new(audio: AudioFormat) -> None:
    """What came before a pause is not heard after it."""
    payloads = payloads_of(tone(1, audio.sample_rate), audio.sample_rate, audio)
    fresh, used = new_decoder(audio), new_decoder(audio)
    used.decode(payloads[7:23])
    used.flush()
    assert np.array_equal(used.decode(payloads), fresh.decode(payloads))
    assert np.array_equal(used.flush(), fresh.flush())


@pytest.mark.parametrize("audio", FORMATS, ids=str)
def test_with_preroll_a_resumed_stream_sounds_the_same(audio: AudioFormat) -> None:
    """In the middle of a tone, the first sample after the pre-roll is already right to within rounding."""
    payloads = payloads_of(tone(2, audio.sample_rate), audio.sample_rate, audio)
    preroll, middle = preroll_frames(audio, new_decoder(audio).preroll_ms), len(payloads) // 2
    decoder = new_decoder(audio)
    whole = np.concatenate([decoder.decode(payloads), decoder.flush()])
    resumed = new_decoder(audio)
    again = np.concatenate([resumed.decode(payloads[middle - preroll :]), resumed.flush()])
    start = middle * audio.frame_samples
    difference = again[preroll * audio.frame_samples :].astype(int) - whole[start:]
    assert np.abs(difference).max() <= 1


def test_a_tone_keeps_its_pitch_and_level() -> None:
    """Conversion to 16 kHz is neither faster, nor louder, nor folded."""
    time = np.arange(48_000) / 48_000
    resampler = SoxrResampler(48_000)
    made = resampler.push((8_000 * np.sin(2 * np.pi * 1_000 * time)).astype(np.int16))
    made = np.concatenate([made, resampler.flush()])
    expected = 8_000 * np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000)
    assert np.abs(made - expected)[200:-200].max() < 5
