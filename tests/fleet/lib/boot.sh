# shellcheck shell=bash
# Boots one host, in a mount namespace of its own: bash boot.sh MACHINE HOST BASE FOLDER
# The machine sees neither the mounts nor the changed /sys/fs/cgroup; they vanish with the last process of the host.
set -euo pipefail
machine=$1 host=$2 base=$3 folder=$4

# systemd in the host wants the pure second version of control groups, whatever the machine has itself.
umount --lazy --recursive /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir "/sys/fs/cgroup/$machine"
printf '%s\n' "$$" >"/sys/fs/cgroup/$machine/cgroup.procs"

mount -t overlay "$machine" -o "lowerdir=$base,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
exec systemd-nspawn --quiet --directory="$folder/root" --machine="$machine" --hostname="$host" \
  --register=no --keep-unit --network-namespace-path="/run/netns/$machine" \
  --resolv-conf=off --timezone=off --link-journal=no --console=read-only --boot
