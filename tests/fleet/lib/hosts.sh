# shellcheck shell=bash
# shellcheck disable=SC2153,SC2154  # the settings are of fleet.sh
# Hosts: made, booted, waited for, ended. Sourced by fleet.sh, never run.

fleet_up() {
  local spec host number=11 suites=()
  [ ! -e "$STATE" ] || die "there is a fleet of this name already ($STATE): end it with '$0 down'"
  for spec in "$@"; do
    [[ $spec =~ ^[a-z][a-z0-9]{0,15}=[a-z]+(:[a-z]+(\+[a-z]+)*)?$ && $spec != hub=* ]] || die "not a host: '$spec'"
    spec=${spec#*=}
    suites+=("${spec%%:*}")
  done
  for suite in $(printf '%s\n' "${suites[@]}" | sort -u); do build_base "$suite"; done
  mkdir -p "${STATE%/*}"
  mkdir -m 700 "$STATE"
  # A fleet that is half there helps nobody.
  trap '[ "$?" = 0 ] || fleet_down' EXIT
  ssh-keygen -q -t ed25519 -N '' -C "$PREFIX" -f "$STATE/id_ed25519"
  make_hub
  for spec in "$@"; do
    host=${spec%%=*}
    mkdir -m 755 "$STATE/$host"
    printf '%s.%s\n' "$NETWORK" "$number" >"$STATE/$host/address"
    connect_host "$host" "$number"
    number=$((number + 1))
  done
  for spec in "$@"; do make_host "${spec%%=*}" "${spec#*=}"; done
  write_ssh_config
  for spec in "$@"; do boot_host "${spec%%=*}" "${spec#*=}"; done
  for spec in "$@"; do wait_for_host "${spec%%=*}"; done
}

# What is the host's own goes straight into the upper layer of its files.
make_host() {
  local host=$1 suite=${2%%:*} units=() unit folder=$STATE/$1 upper=$STATE/$1/upper base other
  base=$(base_folder "$suite")
  [[ $2 != *:* ]] || IFS=+ read -ra units <<<"${2#*:}"
  mkdir -m 755 "$upper" "$folder/work" "$folder/root"
  install -d -m 755 "$upper"/etc{,/ssh,/systemd,/systemd/system,/systemd/system/multi-user.target.wants}
  install -d -m 755 "$upper"/{home,var,var/lib,var/lib/apt,var/lib/apt/periodic}
  install -d -m 700 "$upper"/root{,/.ssh}
  printf '%s\n' "$host" >"$upper/etc/hostname"
  {
    printf '127.0.0.1 localhost\n%s.1 hub\n' "$NETWORK"
    for other in "$STATE"/*/address; do
      printf '%s %s\n' "$(cat "$other")" "$(basename "$(dirname "$other")")"
    done
  } >"$upper/etc/hosts"
  ssh-keygen -q -t ed25519 -N '' -C "$host" -f "$upper/etc/ssh/ssh_host_ed25519_key"
  printf '%s %s\n' "$(cat "$folder/address")" "$(cut -d' ' -f1,2 "$upper/etc/ssh/ssh_host_ed25519_key.pub")" \
    >>"$STATE/known_hosts"
  install -m 600 "$STATE/id_ed25519.pub" "$upper/root/.ssh/authorized_keys"
  cp -a "$base/home/$BASE_USER" "$upper/home/$BASE_USER"
  install -d -m 700 -o 1000 -g 1000 "$upper/home/$BASE_USER/.ssh"
  install -m 600 -o 1000 -g 1000 "$STATE/id_ed25519.pub" "$upper/home/$BASE_USER/.ssh/authorized_keys"
  # The packages are those of a moment ago: without this stamp apt would want to look for newer ones.
  touch "$upper/var/lib/apt/periodic/update-success-stamp"
  for unit in "${units[@]}"; do
    [ -e "$base/usr/lib/systemd/system/$unit.service" ] || [ -e "$base/lib/systemd/system/$unit.service" ] ||
      die "$host: $suite has no unit $unit"
    ln -s "/lib/systemd/system/$unit.service" "$upper/etc/systemd/system/multi-user.target.wants/"
  done
}

boot_host() {
  local host=$1 suite=${2%%:*} folder=$STATE/$1
  setsid unshare --mount --propagation private bash "$here/lib/boot.sh" \
    "$PREFIX-$host" "$host" "$(base_folder "$suite")" "$folder" </dev/null >"$folder/console.log" 2>&1 &
}

# Until SSH answers and systemd has started everything.
wait_for_host() {
  local host=$1 deadline=$((SECONDS + 120)) state=''
  while [ "$SECONDS" -lt "$deadline" ]; do
    state=$(timeout 60 ssh -n -F "$STATE/ssh_config" -o ControlMaster=no -o ControlPath=none "$host" \
      systemctl is-system-running --wait 2>/dev/null) || true
    case $state in
      running)
        printf '%s: %s\n' "$host" "$state"
        return
        ;;
      degraded)
        ssh -n -F "$STATE/ssh_config" "$host" systemctl --failed --no-legend >&2 || true
        die "$host: the units above failed to start"
        ;;
    esac
    sleep 0.3
  done
  tail -n 20 "$STATE/$host/console.log" >&2
  die "$host did not come up (${state:-SSH does not answer}); the end of its console is above"
}

host_status() { printf '%s: %s\n' "$1" "$(ssh -n -F "$STATE/ssh_config" "$1" systemctl is-system-running || true)"; }

each_host() {
  local folder
  [ -d "$STATE" ] || die "is not up"
  for folder in "$STATE"/*/; do "$1" "$(basename "$folder")"; done
}

host_cgroup() { printf '%s/%s-%s\n' "$(cgroup_root)" "$PREFIX" "$1"; }

# Every process of a host is in its control group, and nobody else's is.
kill_host() {
  local cgroup deadline=$((SECONDS + 20))
  cgroup=$(host_cgroup "$1")
  [ -d "$cgroup" ] || return 0
  printf '1\n' >"$cgroup/cgroup.kill"
  while grep -q '^populated 1' "$cgroup/cgroup.events"; do
    [ "$SECONDS" -lt "$deadline" ] || die "$1: processes in $cgroup do not end"
    sleep 0.1
  done
  find "$cgroup" -depth -type d -exec rmdir {} +
}

# Hosts of a test have nothing to lose: no shutdown, all of them are simply ended.
fleet_down() {
  local cgroup namespace master
  for master in "$STATE"/*-*; do
    [ -S "$master" ] && ssh -F none -o "ControlPath=$master" -O exit fleet 2>/dev/null
  done
  for cgroup in "$(cgroup_root)/$PREFIX"-*/; do
    [ ! -d "$cgroup" ] || kill_host "$(basename "$cgroup" | sed "s/^$PREFIX-//")"
  done
  for namespace in $(namespaces); do ip netns delete "$namespace"; done
  rm -rf "$STATE"
}

fleet_leftovers() {
  local found
  found=$(
    namespaces | sed 's/^/network namespace /'
    find "$(cgroup_root)" -maxdepth 1 -name "$PREFIX-*" -printf 'control group %p\n'
    if [ -e "$STATE" ]; then printf 'folder %s\n' "$STATE"; fi
    grep -ls "$STATE" /proc/[0-9]*/mountinfo | sed 's/^/mount in /' || true
  )
  [ -z "$found" ] || die "is not gone: $found"
}
