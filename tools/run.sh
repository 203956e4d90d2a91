#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh — what `make run` does: install what is missing, build, start the server in the foreground, show the loop once.
# TOUR=auto (default: on the first run only), TOUR=1 (again), TOUR=0 (server only). LISTEN and DATA may be set too.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { case "${LC_ALL:-${LANG:-}}" in zh*) printf '%s\n' "$2" ;; *) printf '%s\n' "$1" ;; esac; }
listen=${LISTEN:-127.0.0.1:8620} data=${DATA:-./data} tour=${TOUR:-auto}
tools/setup/packages.sh run
[ -x build/ballast ] || say "building: one to three minutes, once" "正在构建：仅首次需要，约一到三分钟"
tools/build.sh build
if [ "$tour" = auto ]; then if [ -e "$data/tour.done" ]; then tour=0; else tour=1; fi; fi
if [ "$tour" != 0 ]; then
  [ -d build/venv ] || say "installing the stock clients (hf, openai) into build/venv, once" "正在把原版客户端（hf、openai）装入 build/venv：仅首次需要"
  tools/setup/venv.sh build/venv tools/setup/clients.txt || { say "Without the tour: make run TOUR=0" "不运行演示：make run TOUR=0"; exit 2; }
fi

mkdir -p "$data" && chmod 700 "$data"
rm -f "$data/server.json"
# a session of its own: Ctrl-C reaches this script only, which then asks the server once to stop (a second signal would cut)
setsid build/ballast serve --data "$data" --listen "$listen" ${CONFIG:+--config "$CONFIG"} 2>>"$data/server.log" & server=$!
stop() { kill -TERM "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
trap 'stop; say "The server has stopped." "服务已停止。"; exit 0' INT TERM
for _ in $(seq 300); do
  [ -s "$data/server.json" ] && break
  kill -0 "$server" 2>/dev/null || { say "The server did not start; the end of $data/server.log:" "服务未能启动；$data/server.log 末尾如下："; tail -n 3 "$data/server.log"
    say "If the port is taken: make run LISTEN=127.0.0.1:8621" "如果端口被占用：make run LISTEN=127.0.0.1:8621"; exit 2; }
  sleep 0.05
done
url=$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' "$data/server.json")
if [ ! -s "$data/admin.token" ]; then
  (umask 077
   build/ballast user add admin --admin --data "$data" --json </dev/null | sed -n 's/.*"password":"\([^"]*\)".*/\1/p' > "$data/admin.password"
   build/ballast token create admin --role admin --name "make run" --data "$data" > "$data/admin.token")
fi
if [ "$tour" = 1 ]; then
  if build/venv/bin/python tools/tour.py --url "$url" --data "$data"; then touch "$data/tour.done"; else
    say "The tour stopped; the server keeps running. Again: make run TOUR=1" "演示中断，服务继续运行。重来一次：make run TOUR=1"; fi
fi
say "Console    $url" "控制台     $url"
say "Admin user admin · password in $data/admin.password · token in $data/admin.token" "管理员     admin · 密码在 $data/admin.password · 令牌在 $data/admin.token"
say "Log        $data/server.log · Ctrl-C stops the server" "日志       $data/server.log · 按 Ctrl-C 停止服务"
wait "$server" || true
