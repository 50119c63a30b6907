# shellcheck shell=bash
# axe-core, which looks for what some people could not use on a page. Sourced, never run.

# It is one file, which this package has in it; pip compares the whole with the digest.
AXE_PACKAGE="axe-playwright-python==0.1.8"
AXE_DIGEST=sha256:fdd263c998388f1a8e67cad02677e612d946248bd44d163be5e8650ea31f95f8
AXE_FILE=axe_playwright_python/axe.min.js

ensure_axe() {
  local folder=$CACHE/axe mark="$AXE_PACKAGE $AXE_DIGEST"
  [ "$(cat "$folder/.made-from" 2>/dev/null)" != "$mark" ] || return 0
  say "fetching axe-core"
  rm -rf "$folder"
  mkdir -p "$folder"
  printf '%s --hash=%s\n' "$AXE_PACKAGE" "$AXE_DIGEST" >"$folder/wanted.txt"
  quietly "$VENV/bin/python" -m pip download --quiet --no-deps --require-hashes --only-binary :all: \
    --dest "$folder" -r "$folder/wanted.txt" || return 1
  "$VENV/bin/python" -c 'import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]).decode(), end="")' \
    "$folder"/*.whl "$AXE_FILE" >"$folder/axe.min.js" || return 1
  printf '%s' "$mark" >"$folder/.made-from"
}
