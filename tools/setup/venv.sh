#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# venv.sh DIR REQUIREMENTS — a private virtual environment that holds the requirements; redone when the file changes.
set -euo pipefail
dir=$1 req=$2
stamp="$dir/.ballast-$(sha256sum "$req" | cut -c1-16)"
[ -e "$stamp" ] && exit 0
[ -x "$dir/bin/python" ] || "${PYTHON:-/usr/bin/python3}" -m venv "$dir"
"$dir/bin/python" -m pip install -q --disable-pip-version-check --upgrade -r "$req"
rm -f "$dir"/.ballast-*
touch "$stamp"
