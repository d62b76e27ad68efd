from pathlib import Path

import pytest
from cortex_transcriber.adapters.cores import usable_cores
from cortex_transcriber.adapters.model_directory import verify
from cortex_transcriber.adapters.model_loader import ModelLoader
from cortex_transcriber.adapters.recognisers import recognisers_of
from cortex_transcriber.settings import ModelSettings
from cortex_transcriber.shipped_model import MANIFEST
from cortex_transcriber.speech.specimen import utterances

pytestmark = pytest.mark.model


def test_the_set_up_made_what_the_service_expects(model_directory: Path) -> None:
    """Every file of the shipped model has the pinned sha256."""
    assert verify(model_directory) == MANIFEST


def test_it_is_run_one_by_one_within_the_cores(model_directory: Path) -> None:
    """Its weights have dynamic scales, so that batches are never tried; what is measured is within the cores."""
    loaded = recognisers_of(ModelSettings(dir=model_directory, batch=8))
    assert 1 <= loaded.workers <= usable_cores()
    assert [recogniser.batch_size for recogniser in loaded.recognisers] == [1]
    assert not ModelLoader(model_directory).batches


def test_threads_change_no_words(model_directory: Path) -> None:
    """Replicas on machines of other sizes hear the same, whatever plan each has chosen."""
    loader = ModelLoader(model_directory)
    one, two = ([loader.load(threads, 1).recognise(samples) for samples in utterances()[:4]] for threads in (1, 2))
    assert one == two
