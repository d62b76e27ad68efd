"""Voice detection with Silero VAD 6 on onnxruntime, several chunks of several streams in one call.

The ONNX files lie in the wheel `silero-vad`. Its package needs torch to be imported, so it is only located. The network
is rearranged once at the start (see `silero_graph`); should a later wheel hold another network, its own graph is used.
Measured for a chunk: the wheel's graph 114 microseconds one by one; rearranged 54 alone, 28 in threes of one stream,
20 in a batch of 5 streams, 13 in large batches. Results of one stream are equal to the bit, alone and in any batch.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from cortex_runtime.logs import log

from cortex_transcriber.adapters.onnx_sessions import load_session
from cortex_transcriber.adapters.silero_graph import rearranged
from cortex_transcriber.speech.decoding import Pcm, to_float
from cortex_transcriber.speech.recogniser import SAMPLE_RATE
from cortex_transcriber.speech.voice_detector import CHUNK, CONTEXT, STATE, Floats, VoiceDetector

PACKAGE: Final = "silero_vad"
FILE: Final = "silero_vad_16k_op15.onnx"
"""The graph for 16 kHz alone: half the size of the general one, the same figures."""

CLOSE: Final = 1e-4
"""How far the rearranged network may be from the wheel's graph on the fixed signal. It is 1e-6 away; anything else that
might be in a later wheel would be further than this by orders of magnitude."""

TRIED: Final = (5, 2, 1)
"""Lengths of the runs of the fixed signal: equal ones would not show a stream that gets another's state."""

PLANS_KEPT: Final = 1_024
"""Combinations of lengths: with few speakers the same ones come again and again; a kept one is a few hundred bytes."""


class SileroDetector:
    """The rearranged network, loaded once and shared by all streams of the process."""

    def __init__(self, model: bytes) -> None:
        self._session = load_session(model)

    def probabilities(self, chunks: Pcm, lengths: Sequence[int], states: Floats) -> tuple[Floats, Floats]:
        """How likely each chunk is speech, and what to remember."""
        plan = _plan(tuple(lengths))
        given = {"rows": chunks, "order": plan.order, "lengths": plan.lengths, "h": states[:1], "c": states[1:]}
        found, h, c = self._session.run(None, given)
        return found[:, 0, :, 0].T[plan.real], np.concatenate([h, c])


@dataclass(frozen=True)
class _Plan:
    """How runs of these lengths lie beside each other, [steps, streams]."""

    order: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int32]
    real: npt.NDArray[np.bool_]  # [streams, steps]: what is a chunk, and no filling


@lru_cache(maxsize=PLANS_KEPT)
def _plan(lengths: tuple[int, ...]) -> _Plan:
    counts = np.array(lengths, dtype=np.int32)
    steps = np.arange(max(lengths))[:, np.newaxis]
    # Where a stream has no chunk any more its last one is repeated; the LSTM does not look at it.
    order = np.cumsum(counts) - counts + np.minimum(steps, counts - 1)
    return _Plan(order.astype(np.int64), counts, (steps < counts).T)


class WholeGraphDetector:
    """The wheel's own graph: one chunk of each stream a call."""

    def __init__(self, path: Path) -> None:
        self._session = load_session(path)
        self._rate = np.array(SAMPLE_RATE, dtype=np.int64)

    def probabilities(self, chunks: Pcm, lengths: Sequence[int], states: Floats) -> tuple[Floats, Floats]:
        """How likely each chunk is speech, and what to remember."""
        counts, states, rows = np.array(lengths), states.copy(), to_float(chunks)
        firsts = np.cumsum(counts) - counts
        found = np.empty(len(chunks), dtype=np.float32)
        for step in range(max(lengths)):
            streams = np.flatnonzero(counts > step)
            at = firsts[streams] + step
            given = {"input": rows[at], "state": states[:, streams], "sr": self._rate}
            probabilities, states[:, streams] = self._session.run(None, given)
            found[at] = probabilities[:, 0]
        return found, states


def load_silero() -> VoiceDetector:
    """Load the detector from the installed wheel.

    Raises:
        FileNotFoundError: the wheel is not installed.
    """
    path = silero_file(FILE)
    whole = WholeGraphDetector(path)
    try:
        detector = SileroDetector(rearranged(path))
        agrees = difference(detector, whole) <= CLOSE
    except (KeyError, ValueError):
        agrees = False
    if agrees:
        return detector
    log().warning("voice_detector_is_another", package=PACKAGE)
    return whole


def silero_file(name: str) -> Path:
    """A file of the installed wheel.

    Raises:
        FileNotFoundError: the wheel is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / "data" / name
        if path.is_file():
            return path
    raise FileNotFoundError(f"{name}: the package silero-vad is not installed")


def difference(one: VoiceDetector, other: VoiceDetector) -> float:
    """The largest difference of two detectors' figures on a fixed signal: noise that swells, from silence to loud."""
    random = np.random.default_rng(6)
    noise = random.normal(size=(sum(TRIED), CONTEXT + CHUNK)) * np.logspace(0, 4, sum(TRIED))[:, np.newaxis]
    chunks = noise.clip(-32_768, 32_767).astype(np.int16)
    states = random.normal(scale=0.5, size=(STATE[0], len(TRIED), STATE[1])).astype(np.float32)
    found, expected = one.probabilities(chunks, TRIED, states), other.probabilities(chunks, TRIED, states)
    return max(float(np.abs(ours - theirs).max()) for ours, theirs in zip(found, expected, strict=True))
