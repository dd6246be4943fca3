#!/bin/sh
# Makes .venv and installs into it; does nothing when setup.cfg, pyproject.toml and the folder are as they were then.
set -eu
cd "$(dirname "$0")/.."

wanted=$({ cat setup.cfg pyproject.toml tools/setup.sh; pwd; } | cksum)
stamp=.venv/.set-up-for
if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then exit 0; fi

# A .venv that was copied or moved here, or that was left half made, is made anew: its scripts name another folder.
if ! { .venv/bin/python -c '' && grep -qF "$PWD/.venv/" .venv/bin/pip; } 2>/dev/null; then
    for python in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        if [ -n "$python" ] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then break; fi
        python=
    done
    if [ -z "$python" ]; then
        echo "The hub needs Python 3.11 or newer: install it, or name it as in 'make setup PYTHON=/path/to/python3'." >&2
        exit 1
    fi
    echo "Making .venv with $("$python" --version) ..."
    "$python" -m venv --clear .venv
fi

echo "Installing the dependencies ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
printf '%s\n' "$wanted" >"$stamp"
