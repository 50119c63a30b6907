# shellcheck shell=bash
# Test hosts and the Molecule scenarios that run on them. Sourced after common.sh and packages.sh, never run.

FLEET_PACKAGES=(mmdebstrap systemd-container iproute2 netcat-openbsd openssh-client age)
# The suites that the scenarios of part molecule boot.
FLEET_SUITES=(bookworm trixie)

fleet() { bash "$ROOT/tests/fleet/fleet.sh" "$@"; }

ensure_fleet_packages() { ensure_packages "${FLEET_PACKAGES[@]}"; }

# Base trees of the suites, one after the other. May be called early and in the background: who needs a tree that is
# being built waits for it, and one that is there is not built again.
ensure_fleet_bases() { fleet build "${@:-${FLEET_SUITES[@]}}"; }

# A fleet's name: the scenario, and the checkout, so that runs from two checkouts on one machine do not meet.
fleet_name() {
  local checkout
  checkout=$(sha256sum <<<"$ROOT")
  printf '%s%s\n' "${1:0:7}" "${checkout:0:5}"
}

# molecule_scenario SCENARIO COMMAND: in its own process, because it changes directory, environment and traps.
molecule_scenario() (
  scenario=$1
  shift
  FLEET_NAME=$(fleet_name "$scenario")
  export FLEET_NAME
  export FLEET_STATE=/var/tmp/backupdb-fleet/$FLEET_NAME FLEET_SH=$ROOT/tests/fleet/fleet.sh
  export MOLECULE_EPHEMERAL_DIRECTORY=$CACHE/molecule/$scenario ANSIBLE_HOME=$CACHE/molecule/ansible-$scenario
  export ANSIBLE_FORCE_COLOR=0 NO_COLOR=1 PY_COLORS=0
  cd "$TREE" || exit
  if [ "$1" = test ]; then
    # Whatever happens, nothing of the fleet stays.
    trap 'fleet down' EXIT
    trap 'exit 143' TERM INT HUP
  fi
  molecule "$@" --scenario-name "$scenario"
)
