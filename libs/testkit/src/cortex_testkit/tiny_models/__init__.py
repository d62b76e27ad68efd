"""Models of random weights in the layouts of real families: a few kilobytes that load and run like the real ones.

What their files are called, take and give is what onnx-asr's loaders ask of exports of NeMo, GigaAM, Kaldi, T-one and
Whisper. What they hear depends on the audio and on nothing else, and means nothing.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from cortex_testkit.tiny_models.gigaam import gigaam_ctc, gigaam_rnnt
from cortex_testkit.tiny_models.kaldi import kaldi_transducer
from cortex_testkit.tiny_models.nemo_attention import nemo_conformer_aed
from cortex_testkit.tiny_models.nemo_ctc import nemo_conformer_ctc
from cortex_testkit.tiny_models.nemo_transducer import nemo_conformer_rnnt, nemo_conformer_tdt
from cortex_testkit.tiny_models.t_one import t_one_ctc
from cortex_testkit.tiny_models.whisper import whisper_beam_search
from cortex_testkit.tiny_models.whisper_merged import whisper_merged

BUILDERS: Final[Mapping[str, Callable[[Path], None]]] = {
    "gigaam-multilingual-ctc": partial(gigaam_ctc, model="multilingual_ctc", vocabulary="multilingual_vocab"),
    "gigaam-v2-ctc": partial(gigaam_ctc, model="v2_ctc", vocabulary="v2_vocab"),
    "gigaam-v2-rnnt": partial(gigaam_rnnt, model="v2_rnnt", vocabulary="v2_vocab"),
    "gigaam-v3-ctc": partial(gigaam_ctc, model="v3_ctc", vocabulary="v3_vocab"),
    "gigaam-v3-e2e-ctc": partial(gigaam_ctc, model="v3_e2e_ctc", vocabulary="v3_e2e_ctc_vocab"),
    "gigaam-v3-e2e-rnnt": partial(gigaam_rnnt, model="v3_e2e_rnnt", vocabulary="v3_e2e_rnnt_vocab"),
    "gigaam-v3-rnnt": partial(gigaam_rnnt, model="v3_rnnt", vocabulary="v3_vocab"),
    "kaldi-rnnt": kaldi_transducer,
    "nemo-conformer-aed": nemo_conformer_aed,
    "nemo-conformer-ctc": nemo_conformer_ctc,
    "nemo-conformer-rnnt": nemo_conformer_rnnt,
    "nemo-conformer-tdt": nemo_conformer_tdt,
    "t-one-ctc": t_one_ctc,
    "vosk": kaldi_transducer,
    "whisper": whisper_merged,
    "whisper-ort": whisper_beam_search,
}
"""Fills an empty directory with a model of the family; the manifest is the reader's to write."""

__all__ = ["BUILDERS", "nemo_conformer_ctc"]
