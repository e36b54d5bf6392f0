#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The picture of frame states in docs/ is the one that states.def gives.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need_build
[[ -x $build/bin/states_dot ]] || verdict "$build/bin/states_dot is not built"
verdict "$(diff -u docs/states.dot <("$build/bin/states_dot") ||
    echo "run: $build/bin/states_dot > docs/states.dot")"
