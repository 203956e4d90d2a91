#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh [BUILD_DIR] — CPU per small reply of the bare loop, next to nginx `return 200` (one worker each, server on
# core 0, wrk on core 1). Needs wrk and nginx. Read the ratio, not the absolute figures.
set -euo pipefail
build=${1:-build}
tmp=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$tmp"' EXIT
body=$(printf '{"id":"%0200d"}' 1)
port=$((20000 + RANDOM % 20000))
cat > "$tmp/nginx.conf" <<CONF
worker_processes 1; daemon off; pid $tmp/pid; error_log $tmp/err; worker_cpu_affinity 01;
events { worker_connections 4096; }
http { access_log off; client_body_temp_path $tmp/a; proxy_temp_path $tmp/b; fastcgi_temp_path $tmp/c; uwsgi_temp_path $tmp/d;
  scgi_temp_path $tmp/e; keepalive_requests 100000000;
  server { listen 127.0.0.1:$port; location / { default_type application/json; return 200 '$body'; } } }
CONF
taskset -c 0 "$build/bench/bench_rt_json" > "$tmp/rt.log" & pids+=($!)
taskset -c 0 nginx -c "$tmp/nginx.conf" & pids+=($!)
sleep 0.5
rt_port=$(awk '/^port/{print $2}' "$tmp/rt.log")
worker=$(pgrep -P "${pids[1]}")
ticks() { awk '{print $1}' "/proc/$1/schedstat"; }
all_ticks() { local t=0 x; for x in /proc/"$1"/task/*/schedstat; do t=$((t + $(awk '{print $1}' "$x"))); done; echo "$t"; }
echo "| server | connections | CPU us/reply | replies/s |"
echo "| --- | --- | --- | --- |"
for c in 8 64 512; do
  for who in rt nginx; do
    [ $who = rt ] && p=$rt_port pid=${pids[0]} || { p=$port pid=$worker; }
    taskset -c 1 wrk -t1 -c$c -d1 "http://127.0.0.1:$p/" > /dev/null
    a=$(all_ticks "$pid"); taskset -c 1 wrk -t1 -c$c -d3 "http://127.0.0.1:$p/" > "$tmp/wrk"; b=$(all_ticks "$pid")
    n=$(awk '/requests in/{print $1}' "$tmp/wrk")
    awk -v a="$a" -v b="$b" -v n="$n" -v w=$who -v c=$c 'BEGIN{printf "| %s | %d | %.2f | %.0f |\n", w, c, (b-a)/1000/n, n/3}'
  done
done
