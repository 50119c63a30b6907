# shellcheck shell=bash
# What the machine must have for a fleet. Sourced by fleet.sh, never run.

# Program and the Debian package that has it.
FLEET_PROGRAMS=(
  mmdebstrap:mmdebstrap systemd-nspawn:systemd-container ip:iproute2 nc:netcat-openbsd
  ssh:openssh-client ssh-keygen:openssh-client flock:util-linux unshare:util-linux findmnt:util-linux
)

need_machine() {
  local pair missing=()
  [ "$(id -u)" = 0 ] || die "hosts can only be booted by root"
  for pair in "${FLEET_PROGRAMS[@]}"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  [ "${#missing[@]}" = 0 ] || die "missing packages; run: apt-get install --no-install-recommends ${missing[*]}"
  [ -n "$(cgroup_root)" ] || die "no cgroup2 filesystem is mounted here, so a host's processes could not be kept apart"
  grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null ||
    die "this kernel has no overlay filesystem, of which the hosts' files are made"
  unshare --mount --net true 2>/dev/null ||
    die "namespaces cannot be made here (root in a container without CAP_SYS_ADMIN?), so no host can be booted"
}

cgroup_root() { findmnt --noheadings --types cgroup2 --output TARGET --first-only || true; }
