#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh — every benchmark table, each beside a real peer in the same run. Loopback only; about 15 minutes.
# Needs nginx-light, wrk, gcc; the Xet peer (crate xet-client, feature simulation, binary local_cas_server) if PEER names it.
set -uo pipefail
cd "$(dirname "$0")/.."
tools/setup/packages.sh run; tools/build.sh build; tools/setup/venv.sh build/venv tools/setup/clients.txt
for t in nginx wrk taskset; do command -v $t >/dev/null || { echo "missing: $t (apt-get install nginx-light wrk)" >&2; exit 2; }; done
echo "# $(date -u +%F) $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
echo; echo "## HTTP"; python3 bench/http_bench.py "$PWD/build/ballast"
echo; echo "## Gateway"; bench/gateway.sh
[ ! -x build/bench/bench_xorb ] || { echo; echo "## Xorb ingest"; build/bench/bench_xorb; }
[ ! -e bench/hf_wall.py ] || { echo; echo "## hf upload and download"; build/venv/bin/python bench/hf_wall.py; }
