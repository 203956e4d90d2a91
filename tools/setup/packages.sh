#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# packages.sh run|test|bench — install the Debian packages that building (testing, measuring) needs, if any is missing.
set -euo pipefail
run="meson ninja-build gcc libc6-dev pkg-config git ca-certificates curl python3 python3-venv gettext
 libssl-dev libsqlite3-dev libgit2-dev liblz4-dev libzstd-dev zlib1g-dev libbz2-dev liblzma-dev libxxhash-dev
 libseccomp-dev libyaml-dev libmd4c-dev libmd4c-html0-dev librust-blake3-dev"
test="$run clang clang-format libclang-rt-14-dev libcmocka-dev git-lfs chromium chromium-driver fonts-noto-cjk sqlite3 bc openssl procps"
bench="$run nginx-light wrk util-linux"
case "${1:-run}" in run) want=$run ;; test) want=$test ;; bench) want=$bench ;; *) echo "usage: packages.sh run|test|bench" >&2; exit 64 ;; esac
command -v npm >/dev/null || [ "${1:-run}" != test ] || want="$want nodejs npm"
missing=
# one call, since `make run` checks each time; dpkg-query exits 1 where it knows one name of them not, which is what we ask
have=" $({ dpkg-query -W -f '${Package}:${db:Status-Abbrev}\n' $want 2>/dev/null || true; } | sed -n 's/:ii .*$//p' | tr '\n' ' ')"
for p in $want; do case "$have" in *" $p "*) ;; *) missing="$missing $p" ;; esac; done
[ -n "$missing" ] || exit 0
as_root=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "These packages are missing and sudo is not there; as root run: apt-get install$missing" >&2; exit 2; }
  as_root=sudo
fi
echo "installing:$missing"
$as_root apt-get update -qq
log=$(mktemp); trap 'rm -f "$log"' EXIT
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >"$log" 2>&1 ||
  { cat "$log"; echo "apt-get could not install:$missing" >&2; exit 2; }
