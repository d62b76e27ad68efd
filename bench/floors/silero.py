"""Floor of voice detection: the wheel's own graph on onnxruntime, one chunk a call, its state handed over in numpy."""

import importlib.util
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
Floats = NDArray[np.float32]

RATE: Final = 16_000
CHUNK: Final = 512
CONTEXT: Final = 64
FULL_SCALE: Final = np.float32(32_768)


class Silero:
    """The detector as its makers hand it out."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        (folder,) = importlib.util.find_spec("silero_vad").submodule_search_locations  # type: ignore[union-attr,misc]
        path = Path(folder) / "data" / "silero_vad.onnx"
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._rate = np.array(RATE)

    def judge(self, row: Floats, state: Floats) -> tuple[float, Floats]:
        """How likely a chunk [1, CONTEXT + CHUNK] is speech, and what to remember [2, 1, 128]."""
        probability, state = self._session.run(None, {"input": row, "state": state, "sr": self._rate})
        return float(probability[0, 0]), state

    def hear(self, pcm: Pcm) -> list[float]:
        """The probability of each whole chunk of a track."""
        audio = np.concatenate([np.zeros(CONTEXT, dtype=np.float32), pcm / FULL_SCALE])[np.newaxis]
        state = fresh()
        probabilities = []
        for at in range(0, len(pcm) - CHUNK + 1, CHUNK):
            probability, state = self.judge(audio[:, at : at + CONTEXT + CHUNK], state)
            probabilities.append(probability)
        return probabilities


def fresh() -> Floats:
    """What a stream that begins remembers."""
    return np.zeros((2, 1, 128), dtype=np.float32)
