#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No file holds a note to do something later, or a path of one machine.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
later='\b(TO''DO|FIX''ME|X''XX)\b'
machine='(^|[^A-Za-z0-9_.])/wo''rk/'
found=$(grep -rnIE "$later|$machine" . --exclude-dir=build --exclude-dir=.git \
    --exclude-dir=node_modules --exclude=package-lock.json)
verdict "$found"
