#!/bin/sh
# First process of a node container: makes it a place where systemd and the kubelet can live, names
# the interfaces as on the machines of the procedure, and becomes init.
set -eu

# The private cgroup namespace is mounted read-only at first; systemd and the kubelet write to it.
awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts | while read -r mount; do
  mount -o remount,rw,bind "$mount"
done
mount -o remount,rw /proc/sys
mount --make-rshared /
mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf
ln -sf /dev/null /dev/kmsg
[ -s /etc/machine-id ] || tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id

# Docker numbers interfaces by the order of networks; the lab wants names by purpose.
rename() { # ADDRESS NAME
  current=$(ip -o -4 addr show | awk -v address="$1" '$4 ~ "^" address "/" { print $2 }')
  [ "$current" = "$2" ] && return
  ip link set dev "$current" down
  ip link set dev "$current" name "$2"
  ip link set dev "$2" up
}
default=$(ip route show default | awk '{ print $3; exit }')
rename "$LAB_MANAGEMENT_ADDRESS" lab-mgmt
rename "$LAB_DATA_ADDRESS" "$LAB_DATA_INTERFACE"
rename "$LAB_MANAGEMENT_ADDRESS" em2
[ -z "$default" ] || ip route replace default via "$default"

# systemd keeps no environment of ours; what units need is in a file.
env | grep '^LAB_' > /etc/lab.env || true
exec /sbin/init
