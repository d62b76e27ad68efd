"""Fifty streams at two transcribers that die, end, and are cut off: every frame is accounted for once.

A scripted recogniser shows it to the word, then the shipped model with fewer streams; `make soak` has fifty of it.
"""

from pathlib import Path
from random import Random

import pytest

from tests.faults.crowd_trial import MODEL, CrowdTrial
from tests.faults.installation import Installation

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

SEED = 20
ROOMS_OF_THE_MODEL = 10
"""Recognising is what costs here: the demo's voices talk a third of the time."""


async def test_what_fifty_streams_say_is_heard_once(installed: Installation) -> None:
    """To the frame at 16 kHz, and to the word in every other format, though both transcribers die and are cut off."""
    await CrowdTrial(installed, {}, True, 50, print).run(Random(SEED))  # noqa: S311 - chance that repeats


async def test_the_model_hears_what_it_hears_undisturbed(installed: Installation, model_directory: Path) -> None:
    """The same texts at 16 kHz, and nearly the same words in every other format."""
    model = {**MODEL, "CORTEX_MODEL_DIR": str(model_directory)}
    await CrowdTrial(installed, model, False, ROOMS_OF_THE_MODEL, print).run(Random(SEED))  # noqa: S311 - as above
