#!/usr/bin/env bash
# Runs the programs of this repository against PyPI's `ocpp`: the CSMS against its charge points, the station against its
# central system.
#
# usage: tests/interop/run.sh [VENV]
#
# VENV (default target/interop-venv) is made where it isn't, with Python 3.10 or newer. The programs must have been built;
# OCPP_CSMS and OCPP_CP name them where they aren't target/debug/ocpp-csms and target/debug/ocpp-cp. ONLY=csms or ONLY=cp runs
# one half, PYTHON names the interpreter, VERBOSE=1 shows the logs of the programs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=${1:-$root/target/interop-venv}

if [ ! -x "$venv/bin/python" ]; then
    "${PYTHON:-python3}" -m venv "$venv"
fi
# Installing takes seconds even where there is nothing to do: once for each state of the list is enough.
if ! cmp -s "$here/requirements.txt" "$venv/interop-requirements.txt"; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/interop-requirements.txt"
fi

export OCPP_CSMS=${OCPP_CSMS:-$root/target/debug/ocpp-csms}
export OCPP_CP=${OCPP_CP:-$root/target/debug/ocpp-cp}
export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" "$here/interop.py"
