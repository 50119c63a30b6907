# shellcheck shell=bash
# The fleet's network: a bridge in a namespace of its own (the hub), to which each host's namespace has a cable. Hosts
# reach each other and the hub, nothing else. The machine's own namespace never sees any of it. Sourced, never run.

make_hub() {
  ip netns add "$HUB"
  ip -n "$HUB" link set lo up
  ip -n "$HUB" link add bridge type bridge
  ip -n "$HUB" address add "$NETWORK.1/24" dev bridge
  ip -n "$HUB" link set bridge up
}

connect_host() {
  local host=$1 number=$2 namespace=$PREFIX-$1
  ip netns add "$namespace"
  ip -n "$namespace" link set lo up
  ip -n "$HUB" link add "host$number" type veth peer name eth0 netns "$namespace"
  ip -n "$HUB" link set "host$number" master bridge up
  ip -n "$namespace" address add "$NETWORK.$number/24" dev eth0
  ip -n "$namespace" link set eth0 up
}

# The service is in a control group like a host's, so that it ends with the hosts.
serve() {
  [ -d "$STATE" ] || die "is not up"
  local cgroup
  cgroup=$(host_cgroup hub)
  mkdir -p "$cgroup"
  (
    printf '%s\n' "$BASHPID" >"$cgroup/cgroup.procs"
    exec setsid nsenter --net="/run/netns/$HUB" "$@" </dev/null >>"$STATE/hub.log" 2>&1
  ) &
}

cut_host() { ip -n "$HUB" link set "host$(host_number "$1")" down; }
mend_host() { ip -n "$HUB" link set "host$(host_number "$1")" up; }

host_number() { sed 's/.*\.//' "$STATE/$1/address"; }

namespaces() { ip netns list | awk -v prefix="$PREFIX-" 'index($1, prefix) == 1 { print $1 }'; }

# Only the key of this fleet, and only hosts whose keys it made itself. Control masters are kept in the fleet's folder,
# because one that outlives its host would let the next run hang.
write_ssh_config() {
  local folder host
  {
    for folder in "$STATE"/*/; do
      host=$(basename "$folder")
      printf 'Host %s\n  HostName %s\n' "$host" "$(cat "$folder/address")"
    done
    cat <<CONFIG
Host *
  User root
  IdentityFile $STATE/id_ed25519
  IdentitiesOnly yes
  UserKnownHostsFile $STATE/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
  ConnectTimeout 5
  ServerAliveInterval 5
  ServerAliveCountMax 3
  ControlMaster auto
  ControlPersist 60s
  ControlPath $STATE/master-%C
  ProxyCommand nsenter --net=/run/netns/$HUB nc %h %p
CONFIG
  } >"$STATE/ssh_config"
}
