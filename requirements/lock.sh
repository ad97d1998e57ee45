#!/bin/sh
# Pins every dependency with hashes and without index addresses. Run it after changing pyproject.toml or a .in file.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate "$@"; }
compile pyproject.toml -o requirements/runtime.txt
compile requirements/build.in -c requirements/runtime.txt -o requirements/build.txt
compile requirements/dev.in -c requirements/runtime.txt -c requirements/build.txt -o requirements/dev.txt
