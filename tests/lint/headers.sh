#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every header compiles alone: it includes what it uses.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"
need gcc pkg-config
libraries=(libzmq libczmq libcurl libmicrohttpd jansson sqlite3 libsodium
    gnutls libpng libjpeg libtiff-4 libwebp OpenEXR)
read -ra flags < <(pkg-config --cflags "${libraries[@]}")
sources '*.h' | xargs -P "$(nproc)" -n 1 \
    gcc -std=c17 -D_GNU_SOURCE -DFRAMEQ_VERSION='"0"' -I. "${flags[@]}" \
    -Wall -Wextra -Werror -fsyntax-only -x c
