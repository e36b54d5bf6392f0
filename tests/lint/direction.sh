#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Includes go one way only, and some calls have one home: see direction.py.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need python3
python3 tests/lint/direction.py
