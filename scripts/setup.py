#!/usr/bin/env python3
"""Make .venv: the newest usable Python, the pinned packages, the workspace. Idempotent; `make` calls it.

Runs on any Python 3 and needs nothing but the standard library.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# The Python versions that every pinned package has wheels for, oldest and newest.
OLDEST, NEWEST = (3, 11), (3, 14)

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "cortex-setup.sha256"
PINS = ROOT / "requirements" / "workspace.txt"
UV_PINS = ROOT / "requirements" / "uv.txt"


def members():
    """The folders of the workspace's packages, in a fixed order."""
    return sorted(p.parent for p in ROOT.glob("*/*/pyproject.toml") if p.parent.parent.name in ("libs", "services"))


def say(step):
    print("setup: " + step, flush=True)


def run(*command):
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", UV_NO_PROGRESS="1", VIRTUAL_ENV=str(VENV))
    if not os.access(os.path.expanduser("~"), os.W_OK):
        environment.setdefault("UV_CACHE_DIR", str(ROOT / ".cache" / "uv"))
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=str(ROOT), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        sys.exit("setup: failed: " + " ".join(words))


def version_of(python):
    probe = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"]
    try:
        done = subprocess.run(probe, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return None
    if done.returncode:
        return None
    version, executable = done.stdout.decode().strip().split(" ", 1)
    return tuple(int(part) for part in version.split(".")), executable


def makes_a_venv(python):
    """Whether this user can make an environment with it (Debian ships Pythons that cannot)."""
    with tempfile.TemporaryDirectory() as folder:
        probe = [python, "-m", "venv", os.path.join(folder, "venv")]
        return subprocess.run(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def newest_python():
    names = ["python3.%d" % minor for minor in range(NEWEST[1], OLDEST[1] - 1, -1)] + ["python3", sys.executable]
    found = []
    for name in names:
        path = shutil.which(name)
        answer = version_of(path) if path else None
        if answer and OLDEST <= answer[0] <= NEWEST and answer not in found:
            found.append(answer)
    for _, executable in sorted(found, reverse=True):
        if makes_a_venv(executable):
            return executable
    sys.exit("setup: no usable Python: one of 3.%d to 3.%d with the venv module is needed" % (OLDEST[1], NEWEST[1]))


def fingerprint(python):
    digest = hashlib.sha256(repr((str(ROOT), version_of(python))).encode())
    for path in [PINS, UV_PINS] + [member / "pyproject.toml" for member in members()]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_current():
    return STAMP.exists() and version_of(str(PYTHON)) and STAMP.read_text() == fingerprint(str(PYTHON))


def main():
    if is_current():
        return
    if VENV.exists():
        shutil.rmtree(str(VENV))
    python = newest_python()
    say("environment in .venv, Python %d.%d" % version_of(python)[0])
    run(python, "-m", "venv", VENV)
    say("uv")
    run(PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", UV_PINS)
    uv = VENV / "bin" / "uv"
    say("pinned packages (a few minutes the first time)")
    run(uv, "pip", "sync", "--python", PYTHON, "--require-hashes", PINS)
    say("the workspace's own packages")
    editables = [word for member in members() for word in ("-e", member)]
    run(uv, "pip", "install", "--python", PYTHON, "--no-deps", "--no-build-isolation", *editables)
    STAMP.write_text(fingerprint(str(PYTHON)))


if __name__ == "__main__":
    main()
