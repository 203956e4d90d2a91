#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh DIR [meson options...] — configure once, build what changed; quiet when there is nothing to say.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$1; shift
[ -e "$dir/build.ninja" ] || meson setup "$dir" "$@" >"/tmp/ballast-meson-$$.log" 2>&1 || { cat "/tmp/ballast-meson-$$.log"; rm -f "/tmp/ballast-meson-$$.log"; exit 2; }
rm -f "/tmp/ballast-meson-$$.log"
ninja -C "$dir" --quiet
