#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The release build has no warning: optimised, gcc sees more than in a debug
# build. See release.py.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need cmake gcc python3
rm -rf "$build/release"
mkdir -p "$build"
text=$(cmake --preset release -B "$build/release" -DFRAMEQ_TESTS=OFF 2>&1) ||
    verdict "$text"
python3 tests/lint/release.py "$build/release"
