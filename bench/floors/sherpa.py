"""Floor of `transcribe`: the C++ program `sherpa-onnx-vad-with-offline-asr` on the same model files, one thread.

It reads a WAV file of 16 kHz, finds speech with Silero VAD and recognises it. No network, no events, no store.
"""

import base64
import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cortex_transcriber.adapters.moonshine_tokenizer import FIRST_WORD_PIECE, Tokenizer

PROGRAM = Path(sys.executable).parent / "sherpa-onnx-vad-with-offline-asr"
SEGMENT = re.compile(r"^\s*\d+\.\d+ -- \d+\.\d+: ?(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Heard:
    """What the peer made of a file.

    Attributes:
        cpu_seconds: user and system time of the whole process, start included.
        text: its segments, in order.
    """

    cpu_seconds: float
    text: str


def write_tokens(model: Path, target: Path) -> None:
    """The vocabulary as the peer reads it: one line `base64(token) id` for each id that is used."""
    pieces = Tokenizer.parse((model / "tokenizer.bin").read_bytes()).pieces
    used = [(i, piece or f"<{i}>".encode()) for i, piece in enumerate(pieces) if piece or i < FIRST_WORD_PIECE]
    lines = [f"{base64.b64encode(piece).decode()} {i}\n" for i, piece in used]
    target.write_text("".join(lines), encoding="ascii")


def silero_model() -> Path:
    """The voice detector of the wheel `silero-vad`, which is found without being imported."""
    found = importlib.util.find_spec("silero_vad")
    if found is None or not found.submodule_search_locations:
        sys.exit("bench: silero-vad is not installed: make setup")
    return Path(found.submodule_search_locations[0]) / "data" / "silero_vad.onnx"


def transcribe(model: Path, tokens: Path, wav: Path) -> Heard:
    """Run the peer over one file."""
    before = os.times()
    done = subprocess.run(
        [
            str(PROGRAM),
            f"--silero-vad-model={silero_model()}",
            f"--moonshine-encoder={model / 'encoder_model.ort'}",
            f"--moonshine-merged-decoder={model / 'decoder_model_merged.ort'}",
            f"--tokens={tokens}",
            "--num-threads=1",
            str(wav),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    after = os.times()
    if done.returncode:
        sys.exit(f"bench: the peer failed:\n{done.stderr[-2000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Heard(cpu, " ".join(SEGMENT.findall(done.stdout + done.stderr)))
