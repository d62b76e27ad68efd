#!/usr/bin/env bash
# Compile requirements/*.txt anew: universal, hashed, without addresses. Run after a dependency changed.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
plain=(--quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links)
own=()
for member in libs/*/pyproject.toml services/*/pyproject.toml; do
    own+=(--no-emit-package "$(sed -n 's/^name = "\(.*\)"/\1/p' "$member")")
done
"$uv" pip compile "${plain[@]}" "${own[@]}" --all-extras --group dev pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml -o requirements/workspace.txt
grep '^uv==' requirements/workspace.txt | sed 's/ .*//' | "$uv" pip compile "${plain[@]}" - -o requirements/uv.txt
"$uv" pip compile "${plain[@]}" requirements/bench.in -o requirements/bench.txt
! grep -n '://' requirements/*.txt
