#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No object of the build calls a banned function. Asked of the objects, so
# that comments and strings never trip it.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need nm
need_build
banned='strcpy|strcat|sprintf|vsprintf|strtok|gets|atoi|atol|atof|localtime'
banned+='|rand|srand|sleep|usleep|system|popen|tmpnam|mktemp'
verdict "$(find "$build" -name '*.c.o' -print0 |
    xargs -0 nm --undefined-only --print-file-name 2>/dev/null |
    sed -nE "s#^$build/([^:]*):.* U ($banned)(@.*)?\$#\1: calls \2#p")"
