import type { Argv, Remote } from '../core/remote.ts';
import type { Node } from '../core/node.ts';
import { parseServerVersion } from './containerd.ts';
import { parseFree } from './disk.ts';
import { tracesOf, type Trace } from './leftovers.ts';
import { parseLinks, type Link } from './links.ts';
import { makerOf } from './made-links.ts';
import { parseFeatures, type Feature } from './offloads.ts';
import {
  parseBpfMounts,
  parseDriver,
  parseK3sVersion,
  parseOsName,
  parseSpeeds,
  parseSshAddress,
  type OperatingSystem,
} from './system.ts';

/** What a machine is, as its own tools say; what it could not say is undefined. */
export interface NodeFacts {
  readonly node: string;
  readonly os: OperatingSystem;
  /** File system of /sys/fs/cgroup: `cgroup2fs`, or `tmpfs` on hosts with cgroup v1. */
  readonly cgroup: string;
  readonly bpfMounts: readonly string[];
  /** Seconds that its clock is ahead of ours, less the time that asking took at most. */
  readonly clockAhead: number;
  readonly k3s: string | undefined;
  readonly containerd: string | undefined;
  readonly links: readonly Link[];
  /** Interface → driver, of those with one. */
  readonly drivers: ReadonlyMap<string, string>;
  /** Interface → Mbit/s, of those that say it. */
  readonly speeds: ReadonlyMap<string, number>;
  /** Interface → whether it merges packets before XDP sees them, of those with a driver. */
  readonly merging: ReadonlyMap<string, Merging>;
  /** Interface that carries our SSH session. */
  readonly sshInterface: string | undefined;
  /** Bytes free where K3s keeps its data. */
  readonly free: number;
  readonly tools: ReadonlySet<string>;
  /** Whether kube-proxy answers health checks there; K3s runs it inside its own process. */
  readonly kubeProxy: boolean;
  readonly traces: readonly Trace[];
}

/** Offloads that join packets, by ethtool's short names; undefined where there is no such switch. */
export interface Merging {
  readonly gro: boolean | undefined;
  readonly lro: boolean | undefined;
}

/** Programs of a node that ciliumship or Cilium makes use of. */
export const TOOLS = [
  'ip',
  'ss',
  'ethtool',
  'iptables',
  'sha256sum',
  'tar',
  'zstd',
  'bpftool',
] as const;

const DATA = ['/var/lib/rancher/k3s', '/var/lib'] as const;
/** Where K3s's containerd listens. */
const SOCKET = '/run/k3s/containerd/containerd.sock';
/** A socket that nobody listens on any more would be waited for, ten seconds long. */
const CTR_VERSION: Argv = ['k3s', 'ctr', '--connect-timeout', '2s', 'version'];
/** Port of its health check. */
const KUBE_PROXY: Argv = ['ss', '-Hltn', 'sport', '=', ':10256'];
const MISSING = [1, 2, 126, 127] as const;

/**
 * Asks a machine what it is. Changes nothing; needs neither K3s nor a CNI.
 *
 * @throws ShipError `identity`, `network`; `storage` when `ip` is missing or prints no JSON
 */
export async function readNodeFacts(remote: Remote, signal: AbortSignal): Promise<NodeFacts> {
  const ask = asker(remote, signal);
  const links = parseLinks(await ask(['ip', '-j', '-d', 'addr'], []));
  const [
    os,
    cgroup,
    mounts,
    clockAhead,
    k3s,
    containerd,
    free,
    tools,
    address,
    cards,
    speeds,
    proxy,
    traces,
  ] = await Promise.all([
    readOs(ask),
    ask(['stat', '-fc', '%T', '/sys/fs/cgroup']),
    ask(['cat', '/proc/mounts']).then(parseBpfMounts),
    clockSkew(ask),
    ask(['k3s', '--version']).then(parseK3sVersion),
    readContainerd(remote, ask, signal),
    readFree(ask),
    readTools(ask),
    ask(['sh', '-c', 'echo "$SSH_CONNECTION"'], MISSING, false).then(parseSshAddress),
    readCards(ask, links),
    ask(['grep', '-sH', '.', ...links.map(({ name }) => `/sys/class/net/${name}/speed`)]).then(
      parseSpeeds,
    ),
    ask(KUBE_PROXY),
    readTraces(ask, links),
  ]);
  return {
    node: remote.node,
    os,
    cgroup: cgroup.trim(),
    bpfMounts: mounts,
    clockAhead,
    k3s,
    containerd,
    links,
    drivers: cards.drivers,
    speeds,
    merging: cards.merging,
    sshInterface: links.find(({ addresses }) => addresses.some((own) => isOf(own, address)))?.name,
    free,
    tools,
    kubeProxy: proxy.trim() !== '',
    traces,
  };
}

type Ask = (argv: Argv, accept?: readonly number[], sudo?: boolean) => Promise<string>;

/** What a command prints, also when it is missing or has nothing to say. */
function asker(remote: Remote, signal: AbortSignal): Ask {
  return async (argv, accept = MISSING, sudo = true) =>
    (await remote.run(argv, { sudo, signal, accept })).stdout;
}

async function readOs(ask: Ask): Promise<OperatingSystem> {
  const [release, kernel] = await Promise.all([
    ask(['cat', '/etc/os-release']),
    ask(['uname', '-r']),
  ]);
  return { name: parseOsName(release), kernel: kernel.trim() };
}

/** A socket that is not there need not be waited for. */
async function readContainerd(
  remote: Remote,
  ask: Ask,
  signal: AbortSignal,
): Promise<string | undefined> {
  const accept = MISSING;
  const { code } = await remote.run(['test', '-S', SOCKET], { sudo: true, signal, accept });
  return code === 0 ? parseServerVersion(await ask(CTR_VERSION)) : undefined;
}

/** Its clock is read somewhere between asking and the answer: what that could explain is no skew. */
async function clockSkew(ask: Ask): Promise<number> {
  const before = Date.now();
  const theirs = Number(await ask(['date', '+%s'])) * 1000;
  const after = Date.now();
  if (theirs + 1000 < before) return (theirs + 1000 - before) / 1000;
  return theirs > after ? (theirs - after) / 1000 : 0;
}

/** Before K3s is installed its folder is not there yet. */
async function readFree(ask: Ask): Promise<number> {
  const [own, above] = await Promise.all(DATA.map((path) => ask(['df', '-P', '-B1', path])));
  return parseFree(own?.includes('\n') === true ? own : (above ?? ''));
}

async function readTools(ask: Ask): Promise<ReadonlySet<string>> {
  const script =
    'PATH=$PATH:/usr/sbin:/sbin; for tool; do command -v "$tool" >/dev/null && echo "$tool"; done; true';
  const found = await ask(['sh', '-c', script, 'tools', ...TOOLS], [], false);
  return new Set(found.split('\n').filter((tool) => tool !== ''));
}

/** Interfaces that a CNI made by the dozen have no driver that anyone asks for. */
async function readCards(
  ask: Ask,
  links: readonly Link[],
): Promise<Pick<NodeFacts, 'drivers' | 'merging'>> {
  const asked = links.filter(
    ({ name }) => name !== 'lo' && !name.startsWith('veth') && makerOf(name) !== 'cilium',
  );
  const accept = [...MISSING, 71, 81];
  const found = await Promise.all(
    asked.map(async ({ name }) => {
      const [driver, features] = await Promise.all([
        ask(['ethtool', '-i', name], accept).then(parseDriver),
        ask(['ethtool', '-k', name], accept).then(parseFeatures),
      ]);
      return driver === undefined ? [] : [{ name, driver, merging: mergingOf(features) }];
    }),
  );
  const cards = found.flat();
  return {
    drivers: new Map(cards.map(({ name, driver }) => [name, driver])),
    merging: new Map(cards.map(({ name, merging }) => [name, merging])),
  };
}

function mergingOf(features: ReadonlyMap<string, Feature>): Merging {
  const of = (name: string): boolean | undefined => {
    const feature = features.get(name);
    return feature === undefined || (feature.fixed && !feature.on) ? undefined : feature.on;
  };
  return { gro: of('generic-receive-offload'), lro: of('large-receive-offload') };
}

async function readTraces(ask: Ask, links: readonly Link[]): Promise<readonly Trace[]> {
  const [files, pins] = await Promise.all([
    ask(['ls', '-1', '/etc/cni/net.d']),
    ask(['find', '/sys/fs/bpf/cilium', '-path', '*/links/*', '-type', 'f']),
  ]);
  return tracesOf(links, lines(files), lines(pins));
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

function isOf(own: string, address: string | undefined): boolean {
  return address !== undefined && own.startsWith(`${address}/`);
}

/** Addresses that nodes reach each other by on the data network. */
export function dataAddress(node: Node): string | undefined {
  return node.dataAddress?.split('/')[0];
}
