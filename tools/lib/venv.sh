# shellcheck shell=bash
# Virtual environments, each rebuilt only when its list of packages or its interpreter changed. Sourced, never run.

# ensure_venv FOLDER PYTHON CONSTRAINTS [venv option ...]
# The constraints file is the whole list: its lines are what gets installed.
ensure_venv() {
  local folder=$1 python=$2 list=$3 mark
  shift 3
  mark="$("$python" -c 'import sys; print(sys.version, sys.executable)') $* $(sha256sum <"$list")"
  if [ -x "$folder/bin/python" ] && [ "$(cat "$folder/.made-from" 2>/dev/null)" = "$mark" ]; then
    return 0
  fi
  say "making $folder"
  rm -rf "$folder"
  quietly "$python" -m venv "$@" "$folder" || return 1
  # With system site packages pip would take what the distribution has, which is what is wanted there.
  quietly "$folder/bin/python" -m pip install --quiet -r "$list" || return 1
  printf '%s' "$mark" >"$folder/.made-from"
}

# The Python for the main environment: the system's, or the first on PATH that is new enough and whole. Says on stderr
# why each other one was passed over, because that is what is missing where there is none.
find_main_python() {
  local candidate path
  for candidate in "$SYSTEM_PYTHON" python3 python3.11 python3.12 python3.13 python3.14; do
    path=$(command -v "$candidate") || continue
    # shellcheck disable=SC2016  # Python's, not the shell's
    "$path" -c 'import sys
version = "%d.%d" % sys.version_info[:2]
if sys.version_info < (3, 11):
    raise SystemExit(f"{sys.argv[1]} is Python {version}, and 3.11 or newer is needed")
try:
    import ensurepip, venv
except ImportError as error:
    raise SystemExit(f"{sys.argv[1]} has no module {error.name}: install python{version}-venv, or what your system calls it")
' "$path" || continue
    printf '%s\n' "$path"
    return 0
  done
  return 1
}

ensure_main_venv() {
  local python reasons
  reasons=$(mktemp)
  python=$(find_main_python 2>"$reasons") || python=
  if [ -z "$python" ]; then
    cat "$reasons" >&2
    rm -f "$reasons"
    die "Python 3.11 or newer is missing: put one on PATH as python3 or python3.11, and run this again"
  fi
  rm -f "$reasons"
  ensure_venv "$VENV" "$python" "$ROOT/tools/constraints/main.txt" || die "the Python environment could not be made"
}
