#!/usr/bin/env bash
# A registry on this machine, reached by the nodes through a tunnel of SSH.
set -euo pipefail

for image in "$AGENT" "$OPERATOR"; do
  docker tag "$image" "$REGISTRY/$image"
  docker push -q "$REGISTRY/$image"
done

pull_on_node() {
  ssh -F "$SSH_CONFIG" -o ExitOnForwardFailure=yes -R "$REGISTRY:$REGISTRY" "$1" "
    sudo k3s ctr -n k8s.io images pull --plain-http '$REGISTRY/$AGENT' &&
    sudo k3s ctr -n k8s.io images pull --plain-http '$REGISTRY/$OPERATOR' &&
    sudo k3s ctr -n k8s.io images list | grep -F '$REGISTRY/$AGENT'"
}

pids=
for node in $NODES; do
  pull_on_node "$node" &
  pids="$pids $!"
done
for pid in $pids; do wait "$pid"; done
