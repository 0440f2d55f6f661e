#!/usr/bin/env bash
# What a user does by hand: both images saved and packed whole, copied to every node, imported there.
set -euo pipefail
cd "$BENCH_FOLDER"

docker save "$AGENT" | gzip > agent.tar.gz
docker save "$OPERATOR" | gzip > operator.tar.gz

import_on_node() {
  scp -q -F "$SSH_CONFIG" agent.tar.gz operator.tar.gz "$1:/tmp/"
  ssh -F "$SSH_CONFIG" "$1" "gunzip -c /tmp/agent.tar.gz | sudo k3s ctr -n k8s.io images import -"
  ssh -F "$SSH_CONFIG" "$1" "gunzip -c /tmp/operator.tar.gz | sudo k3s ctr -n k8s.io images import -"
  ssh -F "$SSH_CONFIG" "$1" "sudo k3s ctr -n k8s.io images list | grep -F '$AGENT'"
  ssh -F "$SSH_CONFIG" "$1" "rm /tmp/agent.tar.gz /tmp/operator.tar.gz"
}

pids=
for node in $NODES; do
  import_on_node "$node" &
  pids="$pids $!"
done
for pid in $pids; do wait "$pid"; done
rm agent.tar.gz operator.tar.gz
