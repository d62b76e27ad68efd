"""What the transcriber's tests share: the shipped model, its recordings, and a room of speakers."""

import os
from pathlib import Path

import pytest
from cortex_transcriber.adapters.model_directory import load_recogniser
from cortex_transcriber.adapters.silero import load_silero
from cortex_transcriber.shipped_model import MANIFEST, RECORDINGS_FOLDER
from cortex_transcriber.speech.recogniser import Recogniser
from cortex_transcriber.speech.voice_detector import VoiceDetector

from services.transcriber.tests.hearing import Room


@pytest.fixture(scope="session")
def model_directory(pytestconfig: pytest.Config) -> Path:
    """Where the set-up put the shipped model."""
    named = os.environ.get("CORTEX_MODEL_DIR")
    return Path(named) if named else pytestconfig.rootpath / ".cache" / "models" / MANIFEST.name


@pytest.fixture(scope="session")
def recordings(model_directory: Path) -> Path:
    """The folder of the human recordings that come with the model."""
    return model_directory / RECORDINGS_FOLDER


@pytest.fixture(scope="session")
def recogniser(model_directory: Path) -> Recogniser:
    """The shipped model, loaded once."""
    return load_recogniser(model_directory)


@pytest.fixture(scope="session")
def silero() -> VoiceDetector:
    """The real voice detector, loaded once."""
    return load_silero()


@pytest.fixture(scope="session")
def room() -> Room:
    """A room of speakers, heard frame by frame."""
    return Room()
