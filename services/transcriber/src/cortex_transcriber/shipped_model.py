"""The English model that comes with the installation: which files it has, and their sha256.

The set-up unpacks these files (`scripts/fetch_model.py`) and the service verifies them at start: both read this module.
Source: the wheel `moonshine-voice` 0.0.73 of Moonshine AI (MIT, code and English models), folder `assets`.
"""

from typing import Final

from cortex_transcriber.speech.manifest import Manifest

WHEEL_FOLDER: Final = "moonshine_voice/assets"
MODEL_FOLDER: Final = "tiny-en"
"""Where the model's files lie below `WHEEL_FOLDER`; the recordings lie in `WHEEL_FOLDER` itself."""

MANIFEST: Final = Manifest(
    name="moonshine-tiny-en",
    family="moonshine",
    language="en",
    files={
        "encoder_model.ort": "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
        "decoder_model_merged.ort": "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
        "tokenizer.bin": "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
    },
)

RECORDINGS: Final = {
    "beckett.wav": "e5a26b3d29e5b0bc8dbd72c11d16a3808a4ec0ac45b21f12a27d2a2fe5c5ae61",
    "two_cities.wav": "f3348494d77cb74a02862f5e685ed09faf3e75832c5cc5c80703282c2cd8b52e",
}
"""Two human readings beside the model, 10 s at 16 kHz and 44 s at 48 kHz. Only tests and benches need them."""

RECORDINGS_FOLDER: Final = "recordings"
"""Where the set-up puts them below the model's directory."""
