#!/usr/bin/env bash
# A fleet of booted Debian hosts for the tests: systemd, sshd and database servers, each host with its own processes,
# files and address. Runs as root and changes nothing of the machine: files are overlays of a base tree, mounts are
# private, and all networking is in namespaces of its own, without a way out.
#
#   fleet.sh build SUITE ...                       base trees of Debian suites, from this machine's own apt sources
#   fleet.sh up HOST=SUITE[:UNIT[+UNIT...]] ...    e.g. pg1=bookworm:postgresql both1=trixie:postgresql+mariadb
#   fleet.sh status                                what each host's systemd says
#   fleet.sh ssh HOST [COMMAND ...]
#   fleet.sh serve PROGRAM [ARGUMENT ...]          runs a service for the hosts, who reach it at the name hub, until down
#   fleet.sh cut HOST | mend HOST                  take a host's network link down, and bring it back
#   fleet.sh kill HOST                             as a power failure: every process of the host, at once
#   fleet.sh down                                  ends the hosts and removes all that was theirs
#   fleet.sh leftovers                             fails and lists what is there of a fleet that should be gone
#   fleet.sh prune                                 removes base trees that the present recipe does not make
#
# FLEET_NAME (default "fleet"; a-z, 0-9, at most 12) tells fleets apart: several can be up on one machine.
# FLEET_STATE (default /var/tmp/backupdb-fleet/NAME) is where a fleet's files are; ssh_config in it leads to the hosts.
# FLEET_BASES (default /var/cache/backupdb-fleet) keeps base trees between runs.
# shellcheck disable=SC2034  # most settings are used by the pieces below
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8

NAME=${FLEET_NAME:-fleet}
STATE=${FLEET_STATE:-/var/tmp/backupdb-fleet/$NAME}
BASES=${FLEET_BASES:-/var/cache/backupdb-fleet}
NETWORK=198.51.100 # set aside for documentation, so it is nobody's; used in the fleet's namespaces only
PREFIX=backupdb-$NAME
HUB=$PREFIX-hub

die() {
  printf 'fleet %s: %s\n' "$NAME" "$*" >&2
  exit 1
}

for piece in machine base network hosts; do
  # shellcheck source=/dev/null
  . "$here/lib/$piece.sh"
done

main() {
  local command=${1:-} suite
  [ "$#" = 0 ] || shift
  [[ $NAME =~ ^[a-z0-9]{1,12}$ ]] || die "FLEET_NAME may have a-z and 0-9 only, at most 12 of them"
  case $command in
    build)
      need_machine
      for suite in "${@:-bookworm}"; do build_base "$suite"; done
      ;;
    up)
      [ "$#" -gt 0 ] || die "up needs hosts, such as pg1=bookworm:postgresql"
      need_machine
      fleet_up "$@"
      ;;
    status) each_host host_status ;;
    ssh) exec ssh -F "$STATE/ssh_config" "$@" ;;
    serve) serve "$@" ;;
    cut | mend | kill)
      [ "$#" = 1 ] || die "$command needs the name of one host"
      [ -e "$STATE/$1/address" ] || die "there is no host $1"
      "${command}_host" "$1"
      ;;
    down) fleet_down ;;
    leftovers) fleet_leftovers ;;
    prune) prune_bases ;;
    *)
      sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
      exit 2
      ;;
  esac
}

main "$@"
