#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh SECONDS — build the libFuzzer targets; the HTTP codec and JSON get SECONDS each, the others a tenth (min 5).
# A crash leaves its input in test/fuzz/regression/<target>/, where it becomes a unit test.
set -uo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
CC=clang tools/build.sh build-fuzz -Dtests=enabled -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized || { echo "FAILED build"; exit 1; }
fuzz_one() {
  local exe=$1 name=${1##*fuzz_} s=$(( $2 / 10 > 5 ? $2 / 10 : 5 ))
  case "$name" in h1_request|json) s=$2 ;; esac
  mkdir -p "build-fuzz/corpus/$name" "test/fuzz/regression/$name"
  local log="build-fuzz/$name.log"
  # a fixed seed: the gate repeats; exploring is for long runs of `make fuzz` with BALLAST_FUZZ_SEED=0
  if "$exe" -seed="${BALLAST_FUZZ_SEED:-20261122}" -max_total_time="$s" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="test/fuzz/regression/$name/" \
      "build-fuzz/corpus/$name" "test/fuzz/corpus/$name" $( [ -d "test/fuzz/regression/$name" ] && echo "test/fuzz/regression/$name" ) >"$log" 2>&1; then
    echo "ok $name: $(grep -oE 'Done [0-9]+ runs in [0-9]+' "$log" | tail -n 1)"
  else echo "FAILED $name"; tail -n 30 "$log"; fi
  rmdir "test/fuzz/regression/$name" 2>/dev/null
}
export -f fuzz_one
find build-fuzz -type f -name 'fuzz_*' -perm -u+x | sort | xargs -P "$(nproc)" -I{} bash -c 'fuzz_one {} '"$seconds"
