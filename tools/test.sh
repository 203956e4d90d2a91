#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test.sh — what `make test` does: everything, in order of cost; the last line is "N passed, M failed".
# ONLY="style unit asan e2e fuzz" narrows it; BALLAST_FUZZ_SECONDS sets the time of the two main fuzz targets (60).
set -uo pipefail
cd "$(dirname "$0")/.."
only=${ONLY:-style unit asan fuzz e2e}
passed=0 failed=0
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
want() { case " $only " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
note() { printf '\n== %s (%s)\n' "$1" "$(date +%T)"; }
count() { passed=$((passed + $1)); failed=$((failed + $2)); }
one() { # NAME COMMAND...: one check
  local name=$1; shift
  if "$@" >"$log/one" 2>&1; then tail -n 1 "$log/one"; count 1 0; else cat "$log/one"; echo "FAILED: $name"; count 0 1; fi; }
meson_suite() { # DIR: counts subtests of the TAP runs
  meson test -C "$1" --no-rebuild --print-errorlogs --num-processes "$(nproc)" >"$log/meson" 2>&1 || tail -n 60 "$log/meson"
  python3 - "$1/meson-logs/testlog.json" <<'P' >"$log/counts"
import json, re, sys
ok = bad = 0
for line in open(sys.argv[1]):
    t = json.loads(line)
    out = t.get("stdout", "")
    subs = re.findall(r"^(not )?ok \d+", out, re.M)
    bad_here = sum(1 for s in subs if s) + (0 if t["result"] == "OK" or any(subs) else 1)
    ok += (len(subs) - sum(1 for s in subs if s)) if subs else (1 if t["result"] == "OK" else 0)
    bad += max(bad_here, 0 if t["result"] == "OK" else 1)
print(ok, bad)
P
  read -r a b <"$log/counts" || { a=0 b=1; }
  echo "$a passed, $b failed in $1"; count "$a" "$b"; }

tools/setup/packages.sh test || exit 2
if want style; then note "style"
  one layers tools/check_layers.py
  one style tools/check_style.py
  one format sh -c "clang-format --dry-run -Werror \$(git ls-files 'src/*.[ch]' 'test/*.[ch]' 'bench/*.[ch]') && echo format: fine"
  one translations tools/check_po.py
  one catalogues sh -c "for f in po/*.po; do msgfmt -c -o /dev/null \$f || exit 1; done; echo catalogues: fine"
fi
if want unit || want e2e; then note "build (gcc)"; one build-gcc tools/build.sh build -Dtests=enabled; fi
if want unit; then note "unit tests"; meson_suite build
  note "build (clang)"; one build-clang env CC=clang tools/build.sh build-clang -Dtests=enabled; fi
if want asan; then note "unit tests under ASan and UBSan"
  one build-asan tools/build.sh build-asan -Dtests=enabled -Db_sanitize=address,undefined -Db_lundef=false && meson_suite build-asan; fi
if want fuzz; then note "fuzzing"; tools/fuzz.sh "${BALLAST_FUZZ_SECONDS:-60}" | tee "$log/fuzz"
  count "$(grep -c '^ok ' "$log/fuzz")" "$(grep -c '^FAILED' "$log/fuzz")"; fi
if want e2e; then note "end to end, with the real clients"
  if tools/setup/venv.sh build/venv-test tools/setup/test.txt; then
    run_e2e() { BALLAST_BIN=$1 build/venv-test/bin/python -m pytest -q -o cache_dir=build/pytest-cache --timeout 300 "${@:2}" >"$log/e2e" 2>&1; }
    e2e() { # BINARY ARGS...: what fails is tried once more, and said; failing twice is a failure
      local rc=0 ok bad=0 again
      run_e2e "$@" || rc=$?
      tail -n 45 "$log/e2e"
      ok=$(grep -oE '[0-9]+ passed' "$log/e2e" | tail -n 1 | cut -d' ' -f1)
      if [ "$rc" -ne 0 ]; then
        echo "-- once more: what failed"; rc=0
        run_e2e "$@" --last-failed --last-failed-no-failures none || rc=$?
        tail -n 45 "$log/e2e"
        again=$(grep -oE '[0-9]+ passed' "$log/e2e" | tail -n 1 | cut -d' ' -f1); ok=$((${ok:-0} + ${again:-0}))
        bad=$(grep -E '^[0-9]+ .* in [0-9]|^[0-9]+ (failed|error)' "$log/e2e" | tail -n 1 | grep -oE '[0-9]+ (failed|error)' | cut -d' ' -f1 | paste -sd+ | bc)
        [ "$rc" -eq 0 ] || [ "${bad:-0}" -gt 0 ] || bad=1
      fi
      count "${ok:-0}" "${bad:-0}"; }
    e2e "$PWD/build/ballast" test/e2e
    if want asan; then note "end to end on the sanitized binary"; e2e "$PWD/build-asan/ballast" test/e2e -m "not release_only"; fi
  else count 0 1; fi
fi
echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
