# shellcheck shell=bash
# The chaos suite. Sourced, never run.

run_chaos() { PYTHONPATH=$ROOT/tests:$ROOT/plugins/module_utils PYTHONDONTWRITEBYTECODE=1 python -m chaos "$@"; }
