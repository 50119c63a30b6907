# shellcheck shell=bash
# shellcheck disable=SC2034  # used by those who source it
# Paths and small helpers that every piece of tools/ shares. Sourced, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=$ROOT/.cache
VENV=$CACHE/venv
TREE=$CACHE/ansible_collections/vya/backupdb
SYSTEM_PYTHON=/usr/bin/python3  # with the libraries of the distribution

# LC_ALL may name a locale that was never generated on this machine; this one is always there.
export LC_ALL=C.UTF-8 LANG=C.UTF-8
# pip must not warn about root in every call, and nothing here may wait for an answer.
export PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Settings of the caller's shell must not change what is tested.
unset PYTHONPATH PYTHONHOME ANSIBLE_CONFIG ANSIBLE_INVENTORY VIRTUAL_ENV
export ANSIBLE_COLLECTIONS_PATH=$CACHE

say() { printf '%s\n' "$*"; }

die() {
  printf 'tools: %s\n' "$*" >&2
  exit 1
}

# How many parts run at a time: one more than there are processors, because each waits for servers and for time to pass
# now and then, but no more than there is memory for.
count_lanes() {
  local processors memory lanes
  processors=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1024 / 1280) }' /proc/meminfo)  # the hungriest take 1.2 GiB
  lanes=$((processors + 1 < memory ? processors + 1 : memory))
  printf '%s\n' "$((lanes > 2 ? lanes : 2))"
}

# Run a command quietly; show what it said only when it fails.
quietly() {
  local log status
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null && status=0 || status=$?
  if [ "$status" -ne 0 ]; then
    printf 'failed (%s): %s\n' "$status" "$*" >&2
    tail -n 60 "$log" >&2
  fi
  rm -f "$log"
  return "$status"
}
