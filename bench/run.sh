#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh — every benchmark table, each beside a real peer in the same run. Loopback only; about 15 minutes.
# The Xet peer is the crate xet-client's local_cas_server: PEER names it, else cargo builds it once (12 minutes); without cargo its rows
# are left out and that is said.
set -uo pipefail
cd "$(dirname "$0")/.."
tools/setup/packages.sh bench && tools/build.sh build && tools/setup/venv.sh build/venv tools/setup/clients.txt || exit 2
if [ -z "${PEER:-}" ]; then
  [ -x build/peer/bin/local_cas_server ] || ! command -v cargo >/dev/null || { echo "building the Xet peer: about 12 minutes, once"
    cargo install -q xet-client --version 1.8.0 --features simulation --bin local_cas_server --root build/peer; }
  if [ -x build/peer/bin/local_cas_server ]; then export PEER=$PWD/build/peer/bin/local_cas_server; else echo "no cargo: the rows of local_cas_server are left out"; fi
fi
echo "# $(date -u +%F) $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
echo; echo "## HTTP"; python3 bench/http_bench.py "$PWD/build/ballast"
echo; echo "## Gateway"; bench/gateway.sh
[ ! -x build/bench/bench_xorb ] || { echo; echo "## Xorb ingest"; build/bench/bench_xorb; }
[ ! -e bench/hf_wall.py ] || { echo; echo "## hf upload and download"; build/venv/bin/python bench/hf_wall.py; }
echo; echo "## hf command line against the whole hub"; build/venv/bin/python bench/hf_hub_wall.py
