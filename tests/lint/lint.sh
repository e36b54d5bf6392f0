# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the checks have in common; sourced by each as its first step. A check
# prints what is wrong as file:line: text and exits 1; a tool that is missing
# is a failure, never a skip.
set -u
[[ -z ${1:-} ]] || build=$(realpath -m "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
build=${build:-$PWD/build/dev}
folders=(common broker worker-agent node cli tests)
export build

need() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null && continue
        echo "$tool is not installed: run deploy/install-deps --test"
        exit 1
    done
}

need_build() {
    [[ -f $build/compile_commands.json ]] && return
    echo "$build is not built: run cmake --preset dev && ninja -C build/dev"
    exit 1
}

# sources PATTERN...: the files of the tree that match one of the patterns.
sources() {
    local names=() pattern
    for pattern in "$@"; do
        names+=(-o -name "$pattern")
    done
    find "${folders[@]}" -type f \( "${names[@]:1}" \) | sort
}

# verdict TEXT: fails when TEXT, what is wrong, is not empty.
verdict() {
    [[ -z $1 ]] && return
    printf '%s\n' "$1"
    exit 1
}
