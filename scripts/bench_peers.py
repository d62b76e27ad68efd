#!/usr/bin/env python3
"""Install the programs that bench/ measures against into .venv; `make bench` calls it. A moment when they are there."""

import setup

PINS = setup.ROOT / "requirements" / "bench.txt"

if __name__ == "__main__":
    uv = setup.VENV / "bin" / "uv"
    setup.run(uv, "pip", "install", "--python", setup.PYTHON, "--require-hashes", "-r", PINS)
