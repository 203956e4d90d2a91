#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build.sh DIR [meson options...] — configure once and when other options are given, build what changed; quiet when there is
# nothing to say.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$1; shift
log=$(mktemp); trap 'rm -f "$log"' EXIT
again=
if [ -e "$dir/build.ninja" ]; then
  if [ $# = 0 ] || [ "$*" = "$(cat "$dir/.ballast-options" 2>/dev/null)" ]; then again=no; else again=--reconfigure; fi
fi
if [ "$again" != no ]; then
  meson setup $again "$dir" "$@" >"$log" 2>&1 || { cat "$log"; exit 2; }
  echo "$*" >"$dir/.ballast-options"
fi
ninja -C "$dir" --quiet >"$log" 2>&1 || { cat "$log"; exit 2; }
