import type { Argv, Remote } from '../core/remote.ts';
import { parsePins, parseTraffic, type Pin, type TrafficProgram } from './bpf.ts';
import { parseCertificates, type Certificate } from './certificates.ts';
import { parseCriImages, type CriImage } from './cri.ts';
import { parseDiskUse } from './disk.ts';
import { readNodeFacts, type NodeFacts } from './node-facts.ts';

/** What a machine is, and how the things of Cilium and K3s on it are; unknown is undefined. */
export interface NodeHealth {
  readonly machine: NodeFacts;
  /** Whether a process of an agent is there. */
  readonly agentRuns: boolean;
  readonly pins: readonly Pin[];
  readonly traffic: readonly TrafficProgram[] | undefined;
  /** Names in /etc/cni/net.d that containerd reads. */
  readonly cniFiles: readonly string[];
  /** Per cent of the disk with the images. */
  readonly diskUse: number | undefined;
  /** Of K3s, the first to expire first. */
  readonly certificates: readonly Certificate[];
  /** Images that the kubelet sees. */
  readonly images: readonly CriImage[] | undefined;
  /** Names in a containerd that K3s does not use. */
  readonly otherImages: readonly string[];
}

export const CNI_FOLDER = '/etc/cni/net.d';
const OTHER_SOCKET = '/run/containerd/containerd.sock';

const PROBES = {
  agent: ['pgrep', '-x', 'cilium-agent'],
  pins: ['find', '/sys/fs/bpf/cilium/devices', '-path', '*/links/*'],
  net: ['bpftool', '-j', 'net', 'list'],
  links: ['bpftool', '-j', 'link', 'show'],
  cni: ['ls', '-1', CNI_FOLDER],
  disk: ['df', '-P', '-B1', '/var/lib/rancher/k3s'],
  certificates: certificatesIn('/var/lib/rancher/k3s/server/tls', '/var/lib/rancher/k3s/agent'),
  images: ['k3s', 'crictl', 'images', '-o', 'json'],
  socket: ['test', '-S', OTHER_SOCKET],
} as const satisfies Record<string, Argv>;

function certificatesIn(...folders: readonly string[]): Argv {
  const files = ['-maxdepth', '1', '-name', '*.crt', '-type', 'f'];
  return ['find', ...folders, ...files, '-exec', 'cat', '{}', '+'];
}

/** Of a program that is missing, finds nothing or refuses; bpftool ends with 255. */
const SILENT = [1, 2, 126, 127, 255] as const;

/**
 * Asks a machine how it is. Changes nothing.
 *
 * @throws ShipError as `readNodeFacts`
 */
export async function readNodeHealth(remote: Remote, signal: AbortSignal): Promise<NodeHealth> {
  const ask = (argv: Argv) => remote.run(argv, { sudo: true, signal, accept: SILENT });
  const [machine, agent, pins, net, links, cni, disk, certificates, images, other] =
    await Promise.all([
      readNodeFacts(remote, signal),
      ask(PROBES.agent),
      ask(PROBES.pins),
      ask(PROBES.net),
      ask(PROBES.links),
      ask(PROBES.cni),
      ask(PROBES.disk),
      ask(PROBES.certificates),
      ask(PROBES.images),
      ask(PROBES.socket).then(async ({ code }) => (code === 0 ? otherImages(ask) : [])),
    ]);
  return {
    machine,
    agentRuns: agent.code === 0,
    pins: parsePins(pins.stdout),
    traffic: parseTraffic(net.stdout, links.stdout),
    cniFiles: cni.stdout.split('\n').filter((name) => /\.(conf|conflist|json)$/.test(name)),
    diskUse: parseDiskUse(disk.stdout),
    certificates: parseCertificates(certificates.stdout),
    images: images.code === 0 ? parseCriImages(images.stdout) : undefined,
    otherImages: other,
  };
}

/** A bare `ctr` imports into its own namespace unless it is told another. */
async function otherImages(
  ask: (argv: Argv) => Promise<{ readonly stdout: string }>,
): Promise<readonly string[]> {
  const lists = await Promise.all(
    ['default', 'k8s.io'].map((namespace) =>
      ask(['ctr', '--address', OTHER_SOCKET, '-n', namespace, 'images', 'ls', '-q']),
    ),
  );
  return lists.flatMap(({ stdout }) => stdout.split('\n').filter((name) => name !== ''));
}
