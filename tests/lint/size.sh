#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No function past 60 lines and no .c file past 600, tests apart.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need ctags
wrong=$(sources '*.c' | grep -v '^tests/' |
    xargs ctags -x --kinds-C=f --fields=+e --_xformat='%F %n %{end} %N' |
    awk '$3 - $2 + 1 > 60 {
        print $1 ":" $2 ": " $4 " has " $3 - $2 + 1 " lines, 60 at most" }'
    sources '*.c' | grep -v '^tests/' | xargs wc -l |
    awk '$2 != "total" && $1 > 600 {
        print $2 ":1: " $1 " lines, 600 at most" }')
verdict "$wrong"
