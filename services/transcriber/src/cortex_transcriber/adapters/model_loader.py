"""Loads one model as often as it takes to find out how it runs best."""

import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cortex_transcriber.adapters.model_directory import load_verified, verify
from cortex_transcriber.adapters.moonshine import MoonshineRecogniser
from cortex_transcriber.adapters.onnx_asr_recogniser import OnnxAsrRecogniser
from cortex_transcriber.speech.recogniser import Recogniser

DYNAMIC_SCALES: Final = b"DynamicQuantize"
"""How the names of those operators begin that measure the scale of what they are given: of a whole batch at once, so
that each utterance's figures depend on its neighbours (10 of 191 texts differed with the shipped model)."""

GRAPHS: Final = (".onnx", ".ort")


class ModelLoader:
    """The port `Loader` on a directory, which is verified once. Only the variant that was loaded last is kept.

    Raises:
        ModelUnusable: the directory is missing or damaged.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._manifest = verify(directory)
        self._threads = 0
        self._loaded: MoonshineRecogniser | OnnxAsrRecogniser | None = None

    @property
    def batches(self) -> bool:
        """Whether it may be given several utterances at once."""
        graphs = [self._directory / name for name in self._manifest.files if name.endswith(GRAPHS)]
        return not (self._manifest.quantization or _has_dynamic_scales(graphs))

    def load(self, threads: int, batch: int) -> Recogniser:
        """Load it.

        Raises:
            ModelUnusable: its model cannot be loaded.
        """
        if self._loaded is None or self._threads != threads:
            self._loaded = None  # large models do not fit into memory twice
            self._loaded = load_verified(self._directory, self._manifest, threads)
            self._threads = threads
        return self._loaded.batched(batch) if isinstance(self._loaded, OnnxAsrRecogniser) else self._loaded


def _has_dynamic_scales(graphs: Iterable[Path]) -> bool:
    return any(_mentions(graph, DYNAMIC_SCALES) for graph in graphs if graph.stat().st_size)


def _mentions(file: Path, name: bytes) -> bool:
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(name) >= 0
