"""Build a tiny model of random weights in the layout of a family, with its manifest: to see what loads, not to hear."""

import argparse
from pathlib import Path

from cortex_testkit.tiny_models import BUILDERS
from cortex_transcriber.adapters.model_directory import describe


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--family", choices=sorted(BUILDERS), required=True)
    parser.add_argument("--language", default="", help="BCP-47 tag; empty for several")
    given = parser.parse_args()
    given.directory.mkdir(parents=True)
    BUILDERS[given.family](given.directory)
    describe(given.directory, given.directory.resolve().name, given.family, given.language)


if __name__ == "__main__":
    main()
