import type { Argv, Remote } from '../core/remote.ts';
import { parsePins, parseTraffic, type Pin, type TrafficProgram } from './bpf.ts';
import { parseLinks, type Link } from './links.ts';
import { parseMounts, type Mount } from './mounts.ts';
import {
  CILIUM_TABLES,
  FAMILIES,
  parseNetfilter,
  parseWays,
  type Family,
  type Way,
} from './netfilter.ts';
import { FIXED_PATHS, K3S_LINKS, parentsOf } from './remains-paths.ts';
import { parseBpfMounts, parseSshAddress } from './system.ts';

/** A process that K3s or one of its containers left. */
export interface Survivor {
  readonly pid: string;
  readonly command: string;
}

/** Everything of K3s and of CNIs that is on a node. */
export interface Remains {
  readonly node: string;
  readonly sshInterface: string | undefined;
  readonly bpftool: boolean;
  /** Units of K3s, with what systemd says of them. */
  readonly units: ReadonlyMap<string, string>;
  readonly survivors: readonly Survivor[];
  readonly links: readonly Link[];
  readonly pins: readonly Pin[];
  /** Undefined when bpftool is missing or blind. */
  readonly traffic: readonly TrafficProgram[] | undefined;
  /** How often bpffs is mounted on /sys/fs/bpf. */
  readonly bpfMounts: number;
  readonly mounts: readonly Mount[];
  /** Those of the fixed paths that are there. */
  readonly paths: ReadonlySet<string>;
  /** Parents of fixed paths that are links to elsewhere. */
  readonly linked: readonly string[];
  /** Links of other programs' names to K3s's. */
  readonly programLinks: readonly string[];
  /** Names in /etc/cni/net.d. */
  readonly cniFiles: readonly string[];
  /** Named network namespaces of pods. */
  readonly namespaces: readonly string[];
  /** Maps of Cilium outside of its own folder of the bpffs. */
  readonly maps: readonly string[];
  /** Save program → rules and chains of CNIs and kube-proxy. */
  readonly rules: ReadonlyMap<string, number>;
  readonly routing: readonly Way[];
  /** Volumes of pods that K3s keeps on the disk of the node: they go with the rest. */
  readonly volumes: readonly string[];
}

export const UNITS = ['k3s', 'k3s-agent'] as const;
/** Programs that print rules; which of them are there depends on the distribution. */
export const SAVERS = ['iptables', 'ip6tables', 'iptables-legacy', 'ip6tables-legacy'] as const;
/** Missing, nothing found, refused; bpftool and ip end with 255. */
const SILENT = [1, 2, 3, 4, 126, 127, 255] as const;

/** By cgroup, because names and parents change: a shim that died leaves its containers to init. */
export const SURVIVING = '/(k3s|k3s-agent)\\.service(/|$)|/kubepods';
const SURVIVORS = `for dir in /proc/[0-9]*; do grep -qE "$0" "$dir/cgroup" 2>/dev/null || continue; printf '%s ' "\${dir#/proc/}"; tr '\\0' ' ' < "$dir/cmdline" | head -c 120; echo; done; true`;

const EXISTING = `for path; do [ ! -e "$path" ] && [ ! -L "$path" ] || echo "$path"; done; true`;
/** Above a path nothing may be a link: what is behind it is not ours to remove. */
const LINKED = `for path; do real=$(readlink -f -- "$path") && [ "$real" = "$path" ] || [ ! -e "$path" ] || echo "$path"; done; true`;

const PROBES = {
  survivors: ['sh', '-c', SURVIVORS, SURVIVING],
  links: ['ip', '-j', '-d', 'addr'],
  pins: ['find', '/sys/fs/bpf/cilium/devices', '-path', '*/links/*'],
  net: ['bpftool', '-j', 'net', 'list'],
  held: ['bpftool', '-j', 'link', 'show'],
  mounts: ['cat', '/proc/self/mountinfo'],
  bpf: ['cat', '/proc/mounts'],
  paths: ['sh', '-c', EXISTING, 'existing', ...FIXED_PATHS],
  linked: ['sh', '-c', LINKED, 'linked', ...parentsOf(FIXED_PATHS)],
  programLinks: ['find', ...K3S_LINKS, '-maxdepth', '0', '-type', 'l', '-lname', 'k3s'],
  cni: ['ls', '-1', '/etc/cni/net.d'],
  namespaces: ['find', '/run/netns', '-maxdepth', '1', '-name', 'cni-*'],
  maps: ['find', '/sys/fs/bpf/tc/globals', '-maxdepth', '1', '-name', 'cilium_*'],
  volumes: ['ls', '-1', '/var/lib/rancher/k3s/storage'],
} as const satisfies Record<string, Argv>;

/**
 * Looks for everything of K3s and of CNIs. Changes nothing; needs none of it to run.
 *
 * @throws ShipError `identity`, `network`; `storage` when `ip` is missing or prints no JSON
 */
export async function readRemains(remote: Remote, signal: AbortSignal): Promise<Remains> {
  const run = (argv: Argv) => remote.run(argv, { sudo: true, signal, accept: SILENT });
  const ask = async (argv: Argv): Promise<string> => (await run(argv)).stdout;
  const [texts, ssh, held, units, rules, routing] = await Promise.all([
    askAll(ask),
    remote.run(['sh', '-c', 'echo "$SSH_CONNECTION"'], { signal }).then(({ stdout }) => stdout),
    run(PROBES.held),
    readUnits(ask),
    readRules(ask),
    Promise.all(FAMILIES.map((family) => readWays(ask, family))),
  ]);
  const links = parseLinks(texts.links);
  const address = parseSshAddress(ssh);
  return {
    node: remote.node,
    sshInterface: links.find(({ addresses }) =>
      addresses.some((own) => address !== undefined && own.startsWith(`${address}/`)),
    )?.name,
    bpftool: held.code === 0,
    units,
    survivors: lines(texts.survivors).map(parseSurvivor),
    links,
    pins: parsePins(texts.pins),
    traffic: parseTraffic(texts.net, held.stdout),
    bpfMounts: parseBpfMounts(texts.bpf).filter((path) => path === '/sys/fs/bpf').length,
    mounts: parseMounts(texts.mounts),
    paths: new Set(lines(texts.paths)),
    linked: lines(texts.linked),
    programLinks: lines(texts.programLinks),
    cniFiles: lines(texts.cni),
    namespaces: lines(texts.namespaces),
    maps: lines(texts.maps),
    rules,
    routing: routing.flat(),
    volumes: lines(texts.volumes),
  };
}

type Ask = (argv: Argv) => Promise<string>;

async function askAll(ask: Ask): Promise<Record<keyof typeof PROBES, string>> {
  const names = Object.keys(PROBES) as (keyof typeof PROBES)[];
  const pairs = names.map(async (name) => [name, await ask(PROBES[name])] as const);
  return Object.fromEntries(await Promise.all(pairs)) as Record<keyof typeof PROBES, string>;
}

async function readUnits(ask: Ask): Promise<ReadonlyMap<string, string>> {
  const states = (await ask(['systemctl', 'is-active', ...UNITS])).split('\n');
  const files = await ask([
    ...(['systemctl', 'list-unit-files', '--no-legend', '--no-pager'] as const),
    ...UNITS.map((unit) => `${unit}.service`),
  ]);
  return new Map(
    UNITS.flatMap((unit, index) => {
      const state = states[index]?.trim() ?? 'unknown';
      const known = lines(files).some((line) => line.startsWith(`${unit}.service`));
      return known || state === 'active' ? [[unit, state] as const] : [];
    }),
  );
}

async function readRules(ask: Ask): Promise<ReadonlyMap<string, number>> {
  const counts = SAVERS.map(
    async (name) => [name, parseNetfilter(await ask([`${name}-save`]))] as const,
  );
  return new Map((await Promise.all(counts)).filter(([, count]) => count > 0));
}

async function readWays(ask: Ask, family: Family): Promise<readonly Way[]> {
  const [rules, ...tables] = await Promise.all([
    ask(['ip', family, '-j', 'rule', 'show']),
    ...CILIUM_TABLES.map((table) => ask(['ip', family, '-j', 'route', 'show', 'table', table])),
  ]);
  return parseWays(family, rules, tables);
}

function parseSurvivor(line: string): Survivor {
  const [pid = '', ...command] = line.split(' ');
  return { pid, command: command.join(' ').trim() };
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}
