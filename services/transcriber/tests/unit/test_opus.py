"""Opus packets: what they say about themselves, and what is heard of good, missing and broken ones."""

import numpy as np
import pytest
from cortex_transcriber.adapters.decoders import new_decoder
from cortex_transcriber.speech import opus_packets as packets
from cortex_transcriber.speech.decoding import Decoder, Pcm
from cortex_transcriber.speech.frames import AudioFormat, Encoding
from cortex_transcriber.stream.resuming import preroll_frames
from hypothesis import given
from hypothesis import strategies as st

from services.transcriber.tests.formats import opus_packets, payloads_of

pytestmark = pytest.mark.unit

OPUS = AudioFormat(48_000, 20, Encoding.OPUS)
TONE = (8_000 * np.sin(2 * np.pi * 300 * np.arange(48_000) / 48_000)).astype(np.int16)
SENT = payloads_of(TONE, 48_000, OPUS)
BROKEN = b"\x71" + b"\xff" * 41
"""Says that it is two frames of 10 ms of the same length, and has an odd number of bytes for them."""
UNREADABLE = b"\x7b\x41"
"""Says that it is one frame of 20 ms with padding, and does not say how much."""


def loudness(pcm: Pcm) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(pcm.astype(float) ** 2)))


def decoded(decoder: Decoder, sent: list[bytes]) -> Pcm:
    """Checked as everything is, and to the end."""
    decoder.check(sent)
    return np.concatenate([decoder.decode(sent), decoder.flush()])


@pytest.mark.parametrize(
    ("packet", "microseconds"),
    [
        (b"", 0),
        (b"\x00", 10_000),
        (b"\x18", 60_000),
        (b"\x19", 120_000),
        (b"\x60", 10_000),
        (b"\x68", 20_000),
        (b"\x80", 2_500),
        (b"\x98", 20_000),
        (b"\xfa", 40_000),
        (b"\xfb", 0),
        (b"\xfb\x00", 0),
        (b"\xfb\xc5", 100_000),
    ],
)
def test_the_first_bytes_say_how_long_a_packet_is(packet: bytes, microseconds: int) -> None:
    """Configuration and count, as table 2 and section 3.2 of RFC 6716 have them."""
    assert packets.duration_us(packet) == microseconds


@pytest.mark.parametrize("frame_ms", [10, 20, 40, 60, 80, 100])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_tone_comes_out_as_long_and_as_loud(frame_ms: int, channels: int) -> None:
    """In every length of packet, one channel or two."""
    audio = AudioFormat(48_000, frame_ms, Encoding.OPUS, channels)
    sent = payloads_of(TONE, 48_000, audio)
    heard = decoded(new_decoder(audio), sent)
    assert len(heard) == len(sent) * audio.frame_samples
    assert loudness(heard[3_200:12_800]) == pytest.approx(loudness(TONE), rel=0.15)


def test_packets_of_silence_are_heard_as_silence() -> None:
    """Discontinuous transmission leaves packets of a byte or two, or the well-known three."""
    audio = AudioFormat(48_000, 20, Encoding.OPUS)
    sent = opus_packets(np.zeros(4 * 48_000, dtype=np.int16), audio, dtx="1")
    sent += [b"\xf8\xff\xfe"] * 10 + [b"\x78"] * 20
    heard = decoded(new_decoder(audio), sent)
    assert len(heard) == len(sent) * 320
    assert np.abs(heard).max() < 40


def test_a_missing_packet_is_filled_with_more_of_the_same() -> None:
    """The ear, and a recogniser, stumble over a hole; over a guess they do not."""
    decoder = new_decoder(OPUS)
    before = decoder.decode(SENT[:20])
    guess = decoder.conceal(2)
    assert guess is not None
    heard = np.concatenate([before, guess, decoder.decode(SENT[22:40]), decoder.flush()])
    assert len(heard) == 40 * 320
    assert loudness(heard[20 * 320 : 22 * 320]) > loudness(TONE) / 2


@pytest.mark.parametrize(("heard", "missing"), [(0, 1), (20, 6)])
def test_nothing_is_guessed_from_nothing_or_for_long(heard: int, missing: int) -> None:
    """Such a loss is heard as silence."""
    decoder = new_decoder(OPUS)
    if heard:
        decoder.decode(SENT[:heard])
    assert decoder.conceal(missing) is None


@pytest.mark.parametrize("broken", [BROKEN, UNREADABLE])
@pytest.mark.parametrize("at", [0, 20])
def test_a_broken_packet_costs_its_own_time_only(broken: bytes, at: int) -> None:
    """It is counted, something stands in its place, and those after it are heard."""
    decoder = new_decoder(OPUS)
    sent = [*SENT[:at], broken, *SENT[at + 1 :]]
    heard = decoded(decoder, sent)
    assert decoder.corrupt == 1
    assert len(heard) == len(sent) * 320
    assert loudness(heard[25 * 320 : 45 * 320]) == pytest.approx(loudness(TONE), rel=0.15)


@given(st.lists(st.binary(min_size=1, max_size=60).map(lambda rest: b"\x78" + rest), max_size=20))
def test_any_bytes_yield_exactly_their_time(sent: list[bytes]) -> None:
    """Whatever follows the first byte, each packet is 20 ms of something."""
    good = SENT[:3]
    assert len(decoded(new_decoder(OPUS), [*good, *sent, *good])) == (6 + len(sent)) * 320


def test_cut_off_packets_yield_exactly_their_time() -> None:
    """A datagram that lost its end is heard as far as it goes."""
    decoder = new_decoder(OPUS)
    cut = [packet[: 1 + len(packet) * share // 8] for packet, share in zip(SENT, range(8), strict=False)]
    assert any(len(short) < len(whole) for short, whole in zip(cut, SENT, strict=False))
    assert len(decoded(decoder, cut)) == len(cut) * 320


def test_with_preroll_a_resumed_stream_sounds_nearly_the_same() -> None:
    """The codec remembers, but not for long: after the pre-roll the difference is far below the sound."""
    preroll = preroll_frames(OPUS, new_decoder(OPUS).preroll_ms)
    whole = decoded(new_decoder(OPUS), SENT)
    again = decoded(new_decoder(OPUS), SENT[25 - preroll :])[preroll * 320 :]
    assert loudness(again.astype(int) - whole[25 * 320 :]) < loudness(TONE) / 10


def test_after_a_flush_a_decoder_is_as_new() -> None:
    """What came before a pause is not heard after it."""
    used, fresh = new_decoder(OPUS), new_decoder(OPUS)
    decoded(used, SENT[10:20])
    assert np.array_equal(decoded(used, SENT), decoded(fresh, SENT))


def test_packets_one_by_one_sound_like_packets_together() -> None:
    """Messages may hold one frame or many."""
    one_by_one, together = new_decoder(OPUS), new_decoder(OPUS)
    pieces = [one_by_one.decode([packet]) for packet in SENT]
    assert np.array_equal(np.concatenate([*pieces, one_by_one.flush()]), decoded(together, SENT))
