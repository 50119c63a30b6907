# shellcheck shell=bash
# Base trees, one a Debian suite: what all hosts of that suite have in common. Sourced by fleet.sh, never run.
#
# Hosts have no network, so all that the roles of the collection install is here already; database servers are
# installed and switched off, a host switches on those that it was asked for.

BASE_PACKAGES=(
  systemd systemd-sysv dbus openssh-server sudo acl cron procps iproute2 ca-certificates
  python3 python3-apt python3-cryptography python3-sqlalchemy python3-zstandard python3-psycopg2 python3-pymysql
  python3-boto3 zstd age postgresql
)
# Timers and services that would only disturb the tests.
BASE_MASKED=(
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
  systemd-timesyncd.service systemd-resolved.service console-getty.service dev-hugepages.mount dev-mqueue.mount
)
# The login of those who must not come as root.
BASE_USER=deploy

# What makes a tree what it is. Its folder has the hash in its name, so a change never pulls a tree from below a host.
base_folder() {
  local recipe
  recipe=$({ printf '%s\n' "$1" && cat "${BASH_SOURCE[0]}"; } | sha256sum)
  printf '%s/%s-%s\n' "$BASES" "$1" "${recipe:0:12}"
}

# MySQL is in sid only, and excludes MariaDB.
base_packages() {
  local packages=("${BASE_PACKAGES[@]}")
  if [ "$1" = sid ]; then packages+=(mysql-server mysql-client); else packages+=(mariadb-server); fi
  (
    IFS=,
    printf '%s\n' "${packages[*]}"
  )
}

# The lines of sources.list for a suite: this machine's own, or its mirror with another suite.
base_sources() {
  local suite=$1 own mirror release_format
  # shellcheck disable=SC2016  # apt's own words, not the shell's
  release_format='deb $(REPO_URI) $(RELEASE) main'
  own=$(apt-get indextargets --format "$release_format" 'Created-By: Packages' 'Component: main' 'Origin: Debian' | sort -u)
  [ -n "$own" ] || die "apt knows no Debian mirror; run apt-get update"
  mirror=$(awk -v suite="$suite" '$3 == suite || $3 ~ "^" suite "-"' <<<"$own")
  [ -n "$mirror" ] || mirror=$(awk -v suite="$suite" '$2 !~ /security/ { print $1, $2, suite, $4; exit }' <<<"$own")
  printf '%s\n' "$mirror"
}

build_base() {
  local suite=$1 folder
  folder=$(base_folder "$suite")
  mkdir -p "$BASES"
  # Several may want the same tree at once: one builds it, the others wait for it.
  (
    flock 9
    [ ! -e "$folder" ] || exit 0
    SECONDS=0
    printf 'building the base tree of %s\n' "$suite"
    rm -rf "$BASES/.new-$suite"
    trap 'rm -rf "$BASES/.new-$suite" "$BASES/.log-$suite"' EXIT
    # Beside this shell, because bash ignores errexit in a function whose status is tested.
    make_base "$suite" "$BASES/.new-$suite" >"$BASES/.log-$suite" 2>&1 &
    wait "$!" || {
      tail -n 40 "$BASES/.log-$suite" >&2
      die "the base tree of $suite could not be built: the messages above say why"
    }
    mv "$BASES/.new-$suite" "$folder"
    printf 'built %s in %s s\n' "$folder" "$SECONDS"
  ) 9>"$BASES/.lock-$suite"
}

make_base() {
  local suite=$1 tree=$2 unit sources
  sources=$(base_sources "$suite")
  printf '%s\n' "$sources"
  # A mirror may be a copy of some weeks ago, which apt takes for stale where suites move (sid).
  mmdebstrap --mode=root --variant=minbase --include="$(base_packages "$suite")" \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    "$suite" "$tree" - <<<"$sources"
  for unit in "${BASE_MASKED[@]}"; do ln -sf /dev/null "$tree/etc/systemd/system/$unit"; done
  rm -f "$tree"/etc/systemd/system/multi-user.target.wants/{mariadb,mysql,postgresql}.service
  # Each host has keys and an id of its own.
  rm -f "$tree"/etc/ssh/ssh_host_*
  : >"$tree/etc/machine-id"
  printf '%s\n' 'PermitRootLogin prohibit-password' 'UseDNS no' 'MaxStartups 50:30:200' 'MaxSessions 50' \
    >"$tree/etc/ssh/sshd_config.d/50-fleet.conf"
  chroot "$tree" useradd --create-home --shell /bin/bash "$BASE_USER"
  printf '%s ALL=(ALL:ALL) NOPASSWD: ALL\n' "$BASE_USER" >"$tree/etc/sudoers.d/$BASE_USER"
  chmod 0440 "$tree/etc/sudoers.d/$BASE_USER"
}

prune_bases() {
  local folder suite
  for folder in "$BASES"/*-*/; do
    [ -d "$folder" ] || continue
    folder=${folder%/}
    suite=${folder##*/}
    suite=${suite%-*}
    [ "$folder" != "$(base_folder "$suite")" ] || continue
    # A mount namespace of a host shows the tree as its lower layer.
    ! grep -qs "lowerdir=$folder" /proc/[0-9]*/mountinfo || {
      printf 'in use, so it stays: %s\n' "$folder"
      continue
    }
    rm -rf "$folder"
    printf 'removed %s\n' "$folder"
  done
}
