#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The core and what it stands on call nothing that could see a socket, a file,
# a clock, a random source or a log: all that their objects leave undefined is
# on the list in pure-symbols.txt.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need nm
need_build

archives=()
for name in frameq_core frameq_common; do
    archive=$(find "$build" -name "lib$name.a" -print -quit)
    [[ -n $archive ]] || verdict "lib$name.a is not in $build"
    archives+=("$archive")
done
defined=$(nm --defined-only --extern-only --format=just-symbols \
    "${archives[@]}" | sort -u)
wrong=$(nm --undefined-only --format=just-symbols "${archives[@]}" |
    grep -v -e ':$' -e '^$' | sort -u |
    comm -23 - <(printf '%s\n' "$defined" |
        sort -u - tests/lint/pure-symbols.txt))
[[ -z $wrong ]] || verdict "the pure part calls: ${wrong//$'\n'/ }"
