# shellcheck shell=bash
# What the part controller needs beside the main environment: the collection awx.awx, and ansible-runner. Sourced after
# venv.sh, never run.

# The last wheel of `ansible` that has awx.awx 24.6.1. It is 57 MB, of which 98 files are kept.
AWX_WHEEL=ansible==11.13.0
AWX_WHEEL_SHA256=7f1c9c6a6026ff214d9240647e4d2b019b2a9d4c7a2bc733932bcf92af80ab04
AWX_TREE=$CACHE/awx-24.6.1

ensure_controller_tools() {
  ensure_venv "$CACHE/venv-controller" "$VENV/bin/python" "$ROOT/tools/constraints/controller.txt" || return 1
  ensure_awx_collection
}

# AWX_TREE/ansible_collections/awx/awx, out of a wheel with a known checksum. Parts that run beside each other may ask for
# it: the second one waits for the first.
ensure_awx_collection() {
  [ ! -e "$AWX_TREE/.complete" ] || return 0
  (
    flock 9
    [ -e "$AWX_TREE/.complete" ] || fetch_awx_collection
  ) 9>"$CACHE/.awx.lock"
}

fetch_awx_collection() {
  local new
  say "fetching awx.awx"
  new=$(mktemp -d "$CACHE/awx.XXXXXX")
  printf '%s --hash=sha256:%s\n' "$AWX_WHEEL" "$AWX_WHEEL_SHA256" >"$new/requirement.txt"
  quietly "$VENV/bin/python" -m pip download --quiet --no-deps --only-binary :all: --require-hashes --dest "$new" \
    --requirement "$new/requirement.txt" || return 1
  "$VENV/bin/python" - "$new" <<'END' || return 1
import sys
from pathlib import Path
from zipfile import ZipFile

folder = Path(sys.argv[1])
(wheel,) = folder.glob("*.whl")
with ZipFile(wheel) as archive:
    archive.extractall(folder, [name for name in archive.namelist() if name.startswith("ansible_collections/awx/")])
wheel.unlink()
END
  touch "$new/.complete"
  chmod 755 "$new"
  rm -rf "$AWX_TREE"
  mv "$new" "$AWX_TREE"
}
