#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/lint/all.sh [BUILD]: every check, each with its verdict.
build=$(realpath -m "${1:-$(dirname "$0")/../../build/dev}")
cd "$(dirname "$0")/../.." || exit 1
failed=0
for check in format size words direction shell headers purity banned states limits \
    release tidy; do
    if text=$("tests/lint/$check.sh" "$build" 2>&1); then
        echo "ok    $check"
    else
        failed=1
        printf 'FAIL  %s\n%s\n' "$check" "$text"
    fi
done
exit $failed
