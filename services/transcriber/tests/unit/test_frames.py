import numpy as np
import pytest
from cortex_transcriber.adapters.soxr_resampler import SoxrResampler
from cortex_transcriber.speech.decoding import PcmDecoder
from cortex_transcriber.speech.frames import AudioFormat, AudioRefused

pytestmark = pytest.mark.unit


def test_a_sequence_number_stands_for_its_time() -> None:
    """Times follow from sequence numbers alone."""
    audio = AudioFormat(48_000, 20)
    assert (audio.starts_at_ms(50), audio.ends_at_ms(50)) == (1_000, 1_020)
    assert (audio.frame_bytes, audio.frame_samples) == (1_920, 320)


@pytest.mark.parametrize(
    ("rate", "frame_ms", "field"),
    [
        (44_100, 20, "sample_rate"),
        (0, 20, "sample_rate"),
        (16_000, 9, "frame_duration"),
        (16_000, 101, "frame_duration"),
    ],
)
def test_other_formats_are_refused(rate: int, frame_ms: int, field: str) -> None:
    """The error names the field."""
    with pytest.raises(AudioRefused) as refused:
        AudioFormat(rate, frame_ms)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("payload", "rule"),
    [
        (b"", "silent_through"),
        (b"\0" * 641, "whole 16-bit samples"),
        (b"\0" * 638, "must be 640"),
        (b"\0" * 9_999_998, "must be 640"),
    ],
)
def test_a_payload_that_is_no_frame_is_refused(payload: bytes, rule: str) -> None:
    """Each wrong size is told with the rule that it breaks."""
    with pytest.raises(AudioRefused, match=rule):
        PcmDecoder(AudioFormat(16_000, 20), None).check([b"\0" * 640, payload])


@pytest.mark.parametrize("at_once", [1, 3, 50])
def test_resampling_leaves_no_joints_between_frames(at_once: int) -> None:
    """However the frames come, the samples are those of a conversion in one go, and as many."""
    pcm = np.random.default_rng(3).normal(scale=4_000, size=48_000).astype(np.int16)
    decoder = PcmDecoder(AudioFormat(48_000, 20), SoxrResampler(48_000))
    payloads = [pcm[at : at + 960].tobytes() for at in range(0, 48_000, 960)]
    pieces = [decoder.decode(payloads[at : at + at_once]) for at in range(0, 50, at_once)]
    whole = SoxrResampler(48_000)
    assert np.array_equal(np.concatenate([*pieces, decoder.flush()]), np.concatenate([whole.push(pcm), whole.flush()]))
    assert sum(map(len, pieces)) < 16_000


def test_a_tone_keeps_its_pitch_and_level() -> None:
    """Conversion to 16 kHz is neither faster, nor louder, nor folded."""
    time = np.arange(48_000) / 48_000
    resampler = SoxrResampler(48_000)
    made = resampler.push((8_000 * np.sin(2 * np.pi * 1_000 * time)).astype(np.int16))
    made = np.concatenate([made, resampler.flush()])
    expected = 8_000 * np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000)
    assert np.abs(made - expected)[200:-200].max() < 5
