#!/bin/sh
# Removes K3s and its data from this node.
set -u
/usr/local/bin/k3s-killall.sh
for unit in k3s k3s-agent; do
  systemctl disable "$unit" 2>/dev/null
  rm -f "/etc/systemd/system/$unit.service" "/etc/systemd/system/$unit.service.env"
done
systemctl daemon-reload
rm -rf /etc/rancher/k3s /run/k3s /var/lib/kubelet
find /var/lib/rancher/k3s -mindepth 1 -delete
rm -f /usr/local/bin/k3s /usr/local/bin/k3s-killall.sh "$0"
exit 0
