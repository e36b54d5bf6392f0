#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every shell script, told by its first line, is clean by that linter.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need shellcheck
find . \( -path ./build -o -path ./.git -o -name node_modules \) -prune -o \
    -type f -print0 |
    xargs -0 awk 'FNR == 1 { if (/^#!.*[\/ ](ba|da)?sh( |$)/) print FILENAME
        nextfile }' |
    xargs -d '\n' shellcheck -x -P SCRIPTDIR -P .
