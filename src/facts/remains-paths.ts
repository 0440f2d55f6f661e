import { dirname } from 'node:path/posix';

/**
 * Everything that reset may remove, and nothing else: written out, never made from what a node says.
 */

/** Of K3s: units, scripts, program, settings and data. */
export const K3S_PATHS = [
  '/etc/systemd/system/k3s.service',
  '/etc/systemd/system/k3s.service.env',
  '/etc/systemd/system/k3s-agent.service',
  '/etc/systemd/system/k3s-agent.service.env',
  '/usr/local/bin/k3s',
  '/usr/local/bin/k3s-killall.sh',
  '/usr/local/bin/k3s-uninstall.sh',
  '/usr/local/bin/k3s-agent-uninstall.sh',
  '/etc/rancher/k3s',
  '/etc/rancher/node',
  '/run/k3s',
  '/var/lib/kubelet',
  '/var/log/pods',
  '/var/log/containers',
  '/var/lib/rancher/k3s',
] as const;

/** Of CNIs: programs, state and settings. Their configuration goes file by file. */
export const CNI_PATHS = [
  '/opt/cni/bin/cilium-cni',
  '/opt/cni/bin/flannel',
  '/opt/cni/bin/antrea',
  '/etc/sysctl.d/99-zzz-override_cilium.conf',
  '/run/cilium',
  '/run/flannel',
  '/run/antrea',
  '/var/lib/cilium',
  '/var/lib/antrea',
  '/var/log/antrea',
  '/var/lib/cni',
] as const;

/** Of Cilium in the bpffs. */
export const BPF_PATHS = ['/sys/fs/bpf/cilium'] as const;

export const FIXED_PATHS: readonly string[] = [...K3S_PATHS, ...CNI_PATHS, ...BPF_PATHS];

/** Mounts below these are of K3s, its pods and Cilium, and are taken off; nothing is lost by that. */
export const OWN_MOUNTS = [
  '/run/k3s',
  '/run/cilium',
  '/run/antrea',
  '/var/lib/kubelet/pods',
  '/var/lib/kubelet/plugins',
  '/var/lib/rancher/k3s/agent/containerd/tmpmounts',
] as const;

/** Links that the installer may make; they go when they lead to K3s. */
export const K3S_LINKS = ['kubectl', 'crictl', 'ctr'].map((name) => `/usr/local/bin/${name}`);

/** Folders above fixed paths. */
export function parentsOf(paths: readonly string[]): readonly string[] {
  return [...new Set(paths.map((path) => dirname(path)))];
}
