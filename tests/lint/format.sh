#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The layout of all C files is what .clang-format says.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need clang-format
sources '*.c' '*.h' | xargs clang-format --dry-run -Werror
