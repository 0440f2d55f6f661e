#!/bin/sh
# Ends everything that K3s started on this node; data stays.
set -u
for unit in k3s k3s-agent; do systemctl stop "$unit" 2>/dev/null; done
for shim in $(pgrep -f '^/usr/bin/containerd-shim-runc-v2 .*/run/k3s/containerd/containerd.sock'); do
  for pid in $(ps -o pid= --ppid "$shim") "$shim"; do kill -9 "$pid" 2>/dev/null; done
done
awk '$2 ~ "^/run/k3s|^/var/lib/kubelet/pods|^/run/netns/cni-" { print $2 }' /proc/self/mounts | sort -r |
  while read -r mount; do umount "$mount" 2>/dev/null; done
for link in cni0 flannel.1; do ip link delete "$link" 2>/dev/null; done
rm -rf /var/lib/cni /run/netns/cni-*
exit 0
