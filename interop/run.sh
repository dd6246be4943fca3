#!/bin/sh
# `make interop`: the exports as pm4py and SpiffWorkflow read them. Both have an environment of their own in .interop/ (never
# a dependency of the hub: AGPL and LGPL). LEADS and OPEN say how large the department is.
set -eu
cd "$(dirname "$0")/.."
work=.interop
venv=$work/venv
mark=$venv/installed
mkdir -p "$work"
if ! cmp -s interop/requirements.txt "$mark"; then
    rm -rf "$venv"
    .venv/bin/python -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r interop/requirements.txt
    cp interop/requirements.txt "$mark"
fi
rm -rf "$work/data" "$work/files"
mkdir -p "$work/files"
export HUB_DATA_DIR="$work/data"
.venv/bin/python -m bench.generate --leads "${LEADS:-600}" --open "${OPEN:-60}" --seed 1 --database "$HUB_DATA_DIR"
.venv/bin/python -m interop.strays "$work/files/strays.json"
for file in "xes --steps -o $work/files/steps.xes" "xes -o $work/files/leads.xes" "ocel -o $work/files/leads.json" \
            "bpmn -o $work/files/process.bpmn"; do
    .venv/bin/hub export $file
done
exec "$venv/bin/python" interop/check.py "$work/files"
