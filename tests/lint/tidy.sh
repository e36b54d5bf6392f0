#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy, by .clang-tidy, over every C file that the build compiles.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need clang-tidy
need_build

# gcc's own warnings are unknown to clang. The analyzer looks at 20,000 states
# of a function, not 225,000: a tenth of the time, and it finds the same (of 323
# null pointers at the ends of functions in the files that take it longest, 302,
# as with 40,000; two fewer with 10,000). One file a process: a long one holds up
# none of the others.
flags=(--quiet --extra-arg=-Wno-unknown-warning-option)
for word in -Xclang -analyzer-config -Xclang max-nodes=20000; do
    flags+=("--extra-arg=$word")
done
sed -n 's/^ *"file": "\(.*\)".*/\1/p' "$build/compile_commands.json" |
    grep '\.c$' | grep -v "^$build/" | sort -u |
    xargs -P "$(nproc)" -n 1 clang-tidy -p "$build" "${flags[@]}" 2>&1 |
    grep -v -e '^[0-9]* warnings\? generated' -e '^$'
((PIPESTATUS[4] == 0))
