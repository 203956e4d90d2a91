#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# venv.sh DIR REQUIREMENTS — a private virtual environment that holds the requirements; redone when the file changes.
set -euo pipefail
dir=$1 req=$2
stamp="$dir/.ballast-$(sha256sum "$req" | cut -c1-16)"
[ -e "$stamp" ] && exit 0
[ -x "$dir/bin/python" ] || "${PYTHON:-/usr/bin/python3}" -m venv "$dir"
"$dir/bin/python" -m pip install -q --disable-pip-version-check --upgrade -r "$req" || {
  echo "pip could not install $req into $dir: check that pip reaches its package index, then run the same command again" >&2
  echo "pip 未能把 $req 装入 $dir：请检查 pip 能否访问软件包索引，然后重新运行同一命令" >&2; exit 2; }
rm -f "$dir"/.ballast-*
touch "$stamp"
