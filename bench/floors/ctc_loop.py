"""Floor of `transcribe-large`: onnxruntime on the same model and segments, in batches of the size that suits it best.

The features are there before it begins, and it makes no text: it runs the model, and takes the likeliest pieces.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx_asr.loader import Manager

Floats = NDArray[np.float32]

BATCHES = (1, 2, 4, 8)
"""Sizes that are tried. Segments are sorted by length, so that little is padding."""


class CtcLoop:
    """A CTC model in NeMo's layout and segments of speech at 16 kHz."""

    def __init__(self, model: Path, family: str, subsampling: int, segments: Sequence[Floats]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(model / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._subsampling = subsampling
        # A loader is asked for its features only; its own session is dropped with it.
        loaded: Any = Manager(providers=["CPUExecutionProvider"]).create_asr(family, model, offline=True)
        features_of = loaded.asr._preprocessor  # noqa: SLF001 - it is offered nowhere else
        self._order = sorted(range(len(segments)), key=lambda index: len(segments[index]))
        self._features = [features_of(segment[np.newaxis], np.array([len(segment)])) for segment in segments]
        self.pieces: dict[int, list[int]] = {}
        self.tried: Mapping[int, float] = {size: self._cost(size) for size in BATCHES}
        self.batch = min(BATCHES, key=self.tried.__getitem__)

    async def block(self) -> float:
        """CPU seconds for all segments."""
        return self._cost(self.batch)

    def _cost(self, batch: int) -> float:
        began = time.process_time()
        for at in range(0, len(self._order), batch):
            self._run(self._order[at : at + batch])
        return time.process_time() - began

    def _run(self, chosen: Sequence[int]) -> None:
        lengths = np.array([int(self._features[index][1][0]) for index in chosen])
        signal = np.zeros((len(chosen), self._features[0][0].shape[1], lengths.max()), dtype=np.float32)
        for row, index in enumerate(chosen):
            signal[row, :, : lengths[row]] = self._features[index][0][0, :, : lengths[row]]
        (probabilities,) = self._session.run(["logprobs"], {"audio_signal": signal, "length": lengths})
        for row, index in enumerate(chosen):
            frames = (lengths[row] - 1) // self._subsampling + 1
            self.pieces[index] = _said(probabilities[row, :frames])


def _said(probabilities: Floats) -> list[int]:
    """The likeliest pieces, each once for as long as it lasts, without the blank, which is the last."""
    likeliest = probabilities.argmax(axis=1)
    begins = np.diff(likeliest, prepend=-1) != 0
    return [int(piece) for piece in likeliest[begins & (likeliest != probabilities.shape[1] - 1)]]
