from pathlib import Path

import pytest
from cortex_transcriber.adapters.model_directory import verify
from cortex_transcriber.shipped_model import MANIFEST

pytestmark = pytest.mark.model


def test_the_set_up_made_what_the_service_expects(model_directory: Path) -> None:
    """Every file of the shipped model has the pinned sha256."""
    assert verify(model_directory) == MANIFEST
