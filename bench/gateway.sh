#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# gateway.sh — CPU per proxied request and per SSE event beside nginx, by ../shared/tools/gateway-bench (auth and metering on).
set -euo pipefail
cd "$(dirname "$0")/.."
d=$(mktemp -d); port=${PORT:-18630}
trap 'kill $pid 2>/dev/null || true; wait $pid 2>/dev/null || true; rm -rf "$d"' EXIT
cat > "$d/c.yaml" <<C
log: {access: ${ACCESS_LOG:-false}}
server: {loops: ${LOOPS:-1}}
providers:
  - name: mock
    base_url: http://127.0.0.1:9000/v1
    models: [{name: gpt-4o-mini, input_price: 0.15, output_price: 0.6}]
C
build/ballast serve --data "$d/data" --config "$d/c.yaml" --listen "127.0.0.1:$port" 2>"$d/log" & pid=$!
for _ in $(seq 100); do [ -s "$d/data/server.json" ] && break; sleep 0.05; done
build/ballast user add bench --data "$d/data" >/dev/null
key=$(build/ballast token create bench --role write --data "$d/data")
../shared/tools/gateway-bench/run.sh ballast "http://127.0.0.1:$port/v1" "$key" "$pid"
