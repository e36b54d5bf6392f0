#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every limit of common/limits.h is named by a test: at it, and one past it.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"

# Those a test cannot come to, and why.
declare -A beyond=(
    [LIMIT_ARTIFACTS]="8 GiB; unit/artifacts gives the store a smaller bound"
    [LIMIT_MOVIE]="gigabytes; the kernel's limit, set once"
    [LIMIT_MOVIE_MS]="half an hour of work"
    [LIMIT_NODE_PROOFS]="the length of an array"
    [LIMIT_PROOF_CPU]="ten minutes of work; the kernel's limit, set once"
)

untested=$(
    grep -oE '^#define LIMIT_[A-Z_]+' common/limits.h | while read -r _ name; do
        [[ -v beyond[$name] ]] ||
            grep -rqw "$name" tests/unit tests/system --include='*.[ch]' --include='*.py' ||
            echo "no test names $name"
    done
)
verdict "$untested"
