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

ensure_main_venv() {
  ensure_venv "$VENV" "$SYSTEM_PYTHON" "$ROOT/tools/constraints/main.txt" || die "the Python environment could not be made"
}
