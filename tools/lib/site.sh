# shellcheck shell=bash
# The documentation site, made by antsibull-docs and Sphinx. Sourced, never run.

# build_site OUTPUT
# Every warning is an error. OUTPUT is replaced only by a site that passed, and only if it was a site before.
build_site() {
  local output=$1 made=$CACHE/docs
  [ -z "$(ls -A "$output" 2>/dev/null)" ] || [ -e "$output/.buildinfo" ] || die "$output is there and is no site"
  ensure_venv "$CACHE/venv-docs" "$SYSTEM_PYTHON" "$ROOT/tools/constraints/docs.txt" || die "the Python environment could not be made"
  rm -rf "$made"
  gather_pages "$made/source" || return 1
  "$CACHE/venv-docs/bin/sphinx-build" --quiet --jobs auto --fail-on-warning --conf-dir "$ROOT/tools/lib/docs" \
    --doctree-dir "$made/doctrees" "$made/source" "$made/html" || return 1
  "$SYSTEM_PYTHON" "$ROOT/tools/lib/docs/check_site.py" "$made/html" || return 1
  rm -rf "$output"
  mkdir -p "$(dirname "$output")"
  mv "$made/html" "$output"
}

# The pages as they lie in the checkout, so that links between them hold, and beside them what antsibull-docs makes.
gather_pages() {
  local source=$1
  # antsibull-docs writes only where nobody else can.
  install -d -m 755 "$source/collection"
  (cd "$TREE" && cp --parents ./*.md docs/*.md docs/images/* docs/monitoring/* roles/*/README.md "$source")
  cp "$ROOT/tools/lib/docs/index.md" "$source"
  # Listed as soon as it is there.
  [ -e "$source/docs/architecture.md" ] || sed -i '/docs\/architecture/d' "$source/index.md"
  PATH=$CACHE/venv-docs/bin:$PATH quietly antsibull-docs collection --use-current --squash-hierarchy --fail-on-error \
    --no-add-antsibull-docs-version --dest-dir "$source/collection" vya.backupdb
}
