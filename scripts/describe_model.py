"""Write `manifest.json` for a directory of model files, so that the transcriber can verify and load it."""

import argparse
from pathlib import Path

from cortex_transcriber.adapters.model_directory import describe, load_recogniser
from cortex_transcriber.adapters.onnx_asr_recogniser import FAMILIES


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--family", choices=("moonshine", *FAMILIES), required=True)
    parser.add_argument("--name", help="default: the directory's own name")
    parser.add_argument("--language", default="", help="BCP-47 tag; empty for several")
    parser.add_argument("--quantization", default="", help="suffix of the files, such as int8")
    given = parser.parse_args()
    describe(
        given.directory, given.name or given.directory.resolve().name, given.family, given.language, given.quantization
    )
    print(f"{load_recogniser(given.directory).name}: loads")


if __name__ == "__main__":
    main()
