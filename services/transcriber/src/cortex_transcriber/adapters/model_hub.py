"""Gets a model from the hub that onnx-asr knows, and describes what came."""

import logging
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from onnx_asr.loader import create_asr_resolver

from cortex_transcriber.adapters.model_directory import describe
from cortex_transcriber.speech.manifest import Manifest


@dataclass(frozen=True)
class HubModel:
    """A model that can be had by its name.

    Attributes:
        family: what loads it from a directory.
        language: BCP-47 tag, empty for several.
    """

    family: str
    language: str


HUB: Final[Mapping[str, HubModel]] = {
    "alphacep/vosk-model-ru": HubModel("vosk", "ru"),
    "alphacep/vosk-model-small-ru": HubModel("vosk", "ru"),
    "gigaam-multilingual-ctc": HubModel("gigaam-multilingual-ctc", ""),
    "gigaam-multilingual-large-ctc": HubModel("gigaam-multilingual-ctc", ""),
    "gigaam-v2-ctc": HubModel("gigaam-v2-ctc", "ru"),
    "gigaam-v2-rnnt": HubModel("gigaam-v2-rnnt", "ru"),
    "gigaam-v3-ctc": HubModel("gigaam-v3-ctc", "ru"),
    "gigaam-v3-e2e-ctc": HubModel("gigaam-v3-e2e-ctc", "ru"),
    "gigaam-v3-e2e-rnnt": HubModel("gigaam-v3-e2e-rnnt", "ru"),
    "gigaam-v3-rnnt": HubModel("gigaam-v3-rnnt", "ru"),
    "nemo-canary-1b-v2": HubModel("nemo-conformer-aed", ""),
    "nemo-fastconformer-ru-ctc": HubModel("nemo-conformer-ctc", "ru"),
    "nemo-fastconformer-ru-rnnt": HubModel("nemo-conformer-rnnt", "ru"),
    "nemo-parakeet-ctc-0.6b": HubModel("nemo-conformer-ctc", "en"),
    "nemo-parakeet-rnnt-0.6b": HubModel("nemo-conformer-rnnt", "en"),
    "nemo-parakeet-tdt-0.6b-v2": HubModel("nemo-conformer-tdt", "en"),
    "nemo-parakeet-tdt-0.6b-v3": HubModel("nemo-conformer-tdt", ""),
    "t-tech/t-one": HubModel("t-one-ctc", "ru"),
    "whisper-base": HubModel("whisper-ort", ""),
}
"""The names that onnx-asr 0.12 lists, with the layout that its loader gives each of them."""


class HubAway(RuntimeError):
    """The hub could not be asked, or has no such files; nothing was kept."""


def folder_name(name: str) -> str:
    """What the folder of a model of the hub is called."""
    return name.rpartition("/")[2]


def fetch(name: str, directory: Path, quantization: str = "") -> Manifest:
    """Download a model of `HUB` into a directory that does not exist yet, and write its manifest.

    The directory appears in one step, whole.

    Raises:
        HubAway: there is no network, or the hub lacks the files.
        OSError: the directory cannot be written.
    """
    model = HUB[name]
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".fetch-") as scratch:
        made = Path(scratch) / "model"
        _download(name, made, quantization)
        manifest = describe(made, folder_name(name), model.family, model.language, quantization)
        made.rename(directory)
    return manifest


def _download(name: str, made: Path, quantization: str) -> None:
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)  # it repeats what is raised
    try:
        create_asr_resolver(name, made, offline=False).resolve_model(quantization=quantization or None)
    except ModuleNotFoundError as error:
        raise HubAway("the hub's client is not installed: install cortex-transcriber[hub]") from error
    except Exception as error:
        # The hub's client raises what its HTTP library does.
        raise HubAway(f"the model hub cannot be reached, or lacks its files ({type(error).__name__})") from error
    shutil.rmtree(made / ".cache", ignore_errors=True)
