"""Whether payloads are frames of the format that their peer declared."""

from collections.abc import Sequence

import numpy as np

from cortex_transcriber.speech import opus_packets
from cortex_transcriber.speech.frames import MS, SAMPLE_BYTES, AudioFormat, AudioRefused, Encoding


def check(audio: AudioFormat, payloads: Sequence[bytes]) -> None:
    """See whether these are frames of a format, before any of them is taken.

    Raises:
        AudioRefused: names the first one that is not, and the rule that it breaks.
    """
    if not _all_fit(audio, payloads):
        for index, payload in enumerate(payloads):
            if rule := _broken_rule(audio, payload):
                raise AudioRefused(f"payloads[{index}]", rule)


def _all_fit(audio: AudioFormat, payloads: Sequence[bytes]) -> bool:
    """The quick look at all of them at once, for nearly every message; Opus has none."""
    if audio.encoding is Encoding.PCM_S16LE:
        return set(map(len, payloads)) <= {audio.frame_bytes}
    if audio.encoding is Encoding.OPUS or not set(map(len, payloads)) <= {audio.frame_bytes}:
        return False
    return audio.encoding is not Encoding.PCM_F32LE or _finite(b"".join(payloads))


def _broken_rule(audio: AudioFormat, payload: bytes) -> str | None:
    if not payload:
        return "must not be empty: a pause is sent as silent_through"
    if audio.encoding is Encoding.OPUS:
        return _broken_opus_rule(audio, payload)
    if len(payload) % (SAMPLE_BYTES[audio.encoding] * audio.channels):
        return f"must hold whole samples of {SAMPLE_BYTES[audio.encoding]} bytes, {audio.channels} at a time"
    if len(payload) != audio.frame_bytes:
        return f"must be {audio.frame_bytes} bytes long, as the peer's format says"
    if audio.encoding is Encoding.PCM_F32LE and not _finite(payload):
        return "must hold finite samples, neither infinity nor NaN"
    return None


def _broken_opus_rule(audio: AudioFormat, packet: bytes) -> str | None:
    if opus_packets.duration_us(packet) != audio.frame_ms * MS:
        return f"must be an Opus packet of {audio.frame_ms} ms, as the peer's format says"
    largest = opus_packets.frames_in(packet) * opus_packets.LARGEST_FRAME
    return f"must be at most {largest} bytes for its Opus frames" if len(packet) > largest + 1 else None


def _finite(data: bytes) -> bool:
    return bool(np.isfinite(np.frombuffer(data, dtype="<f4")).all())
