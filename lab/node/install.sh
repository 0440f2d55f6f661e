#!/bin/sh
# Installs the lab's k3s as K3s's own script does: the same environment, units and scripts. It
# downloads nothing, so INSTALL_K3S_SKIP_DOWNLOAD must be set.
set -eu

BIN=/usr/local/bin
UNITS=/etc/systemd/system

fatal() { echo "[ERROR]  $*" >&2; exit 1; }
info() { echo "[INFO]  $*"; }

# The command, from INSTALL_K3S_EXEC or as arguments; a K3S_URL alone makes an agent.
# shellcheck disable=SC2086 # several words on purpose
set -- ${INSTALL_K3S_EXEC:-} "$@"
case ${1:-} in
  '' | -*) if [ -n "${K3S_URL:-}" ]; then command=agent; else command=server; fi ;;
  *) command=$1; shift ;;
esac
[ "$command" = server ] && name=k3s || name=k3s-agent
name=${INSTALL_K3S_NAME:-$name}

[ "${INSTALL_K3S_SKIP_DOWNLOAD:-}" = true ] || fatal "the lab's k3s can not be downloaded"
[ -x "$BIN/k3s" ] || fatal "Executable k3s binary not found at $BIN/k3s"
info "Skipping k3s download and verify"

for link in kubectl crictl ctr; do
  if command -v "$link" > /dev/null 2>&1; then
    info "Skipping $BIN/$link symlink to k3s, command exists in PATH"
  else
    info "Creating $BIN/$link symlink to k3s"
    ln -s k3s "$BIN/$link"
  fi
done

info "Creating killall script $BIN/k3s-killall.sh"
cat > "$BIN/k3s-killall.sh" <<'SCRIPT'
#!/bin/sh
# Ends everything that K3s started on this node; data stays.
set -u
for unit in /etc/systemd/system/k3s*.service; do
  [ ! -e "$unit" ] || systemctl stop "$(basename "$unit")" 2>/dev/null
done
for shim in $(pgrep -f '^/usr/bin/containerd-shim-runc-v2 .*/run/k3s/containerd/containerd.sock'); do
  for pid in $(ps -o pid= --ppid "$shim") "$shim"; do kill -9 "$pid" 2>/dev/null; done
done
awk '$2 ~ "^/run/k3s|^/var/lib/kubelet/pods|^/run/netns/cni-" { print $2 }' /proc/self/mounts | sort -r |
  while read -r mount; do umount "$mount" 2>/dev/null; done
for link in cni0 flannel.1; do ip link delete "$link" 2>/dev/null; done
rm -rf /var/lib/cni /run/netns/cni-*
exit 0
SCRIPT
chmod 0755 "$BIN/k3s-killall.sh"

uninstall=$BIN/$name-uninstall.sh
info "Creating uninstall script $uninstall"
cat > "$uninstall" <<SCRIPT
#!/bin/sh
# Removes K3s and its data from this node.
set -u
[ ! -x $BIN/k3s-killall.sh ] || $BIN/k3s-killall.sh
systemctl disable $name 2>/dev/null
systemctl reset-failed $name 2>/dev/null
systemctl daemon-reload
rm -f $UNITS/$name.service $UNITS/$name.service.env
trap 'rm -f $uninstall' EXIT
if ls $UNITS/k3s*.service > /dev/null 2>&1; then
  echo 'Additional k3s services installed, skipping uninstall of k3s'
  exit
fi
for link in kubectl crictl ctr; do
  [ ! -L $BIN/\$link ] || rm -f $BIN/\$link
done
rm -rf /etc/rancher/k3s /run/k3s /run/flannel /var/lib/rancher/k3s /var/lib/kubelet
rm -f $BIN/k3s $BIN/k3s-killall.sh
SCRIPT
chmod 0755 "$uninstall"

info "env: Creating environment file $UNITS/$name.service.env"
(umask 077; env | grep '^K3S_' > "$UNITS/$name.service.env" || true)

info "systemd: Creating service file $UNITS/$name.service"
cat > "$UNITS/$name.service" <<UNIT
[Unit]
Description=Lightweight Kubernetes
After=network.target

[Service]
Type=notify
NotifyAccess=all
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-$UNITS/$name.service.env
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStart=$BIN/k3s $command $*
KillMode=process
Delegate=yes
LimitNOFILE=1048576
TimeoutStartSec=0
Restart=always
RestartSec=5s

[Install]
WantedBy=multi-user.target
UNIT

[ "${INSTALL_K3S_SKIP_ENABLE:-}" != true ] || exit 0
info "systemd: Enabling $name unit"
systemctl enable --quiet "$UNITS/$name.service"
systemctl daemon-reload
[ "${INSTALL_K3S_SKIP_START:-}" != true ] || exit 0
info "systemd: Starting $name"
systemctl restart "$name"
