import { judged, type Check } from '../core/check.ts';
import type { Node } from '../core/node.ts';
import { hasNativeXdp, isOlder } from '../facts/drivers.ts';
import type { Link } from '../facts/links.ts';
import type { NodeFacts } from '../facts/node-facts.ts';

/** What Cilium 1.19 asks of a kernel. */
const OLDEST_KERNEL = '5.10';
/** Seconds; certificates and leases suffer from more. */
const CLOCK_TOLERANCE = 5;
/** Bytes that a first ship of an agent and an operator takes, unpacked, with room beside it. */
const ROOM = 4e9;
const NEEDED_TOOLS = ['ip', 'iptables', 'sha256sum', 'tar'] as const;

/** Everything that stands in the way of a cluster on one machine. */
export function judgeMachine(node: Node, facts: NodeFacts): readonly Check[] {
  return [
    kernel(facts),
    bpffs(facts),
    clock(facts),
    disk(facts),
    tools(facts),
    traces(facts),
    ...dataLink(node, facts),
    ...node.devices.map((device) => xdp(facts, device)),
  ];
}

/** What machines must have in common. */
export function judgeFleet(fleet: readonly NodeFacts[]): readonly Check[] {
  const versions = new Set(fleet.flatMap(({ k3s }) => k3s ?? []));
  if (versions.size === 0) return [];
  return [
    judged({
      node: 'cluster',
      check: 'K3s version',
      wanted: 'one version',
      found: [...versions].join(', '),
      ok: versions.size === 1,
      remedy: 'install the same version on every node',
    }),
  ];
}

function kernel({ node, os }: NodeFacts): Check {
  return judged({
    node,
    check: 'kernel',
    wanted: `${OLDEST_KERNEL} or later`,
    found: os.kernel,
    ok: !isOlder(os.kernel, OLDEST_KERNEL),
    remedy: `update the kernel of ${node}; Cilium does not start on this one`,
  });
}

/** A second mount hides the pins of the first: programs stay attached that nobody can find. */
function bpffs({ node, bpfMounts }: NodeFacts): Check {
  const count = bpfMounts.filter((path) => path === '/sys/fs/bpf').length;
  return judged({
    node,
    check: 'bpffs',
    wanted: 'mounted once on /sys/fs/bpf',
    found: count === 0 ? 'not mounted' : `${count} times`,
    ok: count === 1,
    remedy:
      count === 0
        ? `on ${node}: sudo mount -t bpf bpf /sys/fs/bpf`
        : `on ${node}, with no agent running: sudo umount /sys/fs/bpf, until one is left`,
  });
}

function clock({ node, clockAhead }: NodeFacts): Check {
  const seconds = Math.round(clockAhead);
  return judged({
    node,
    check: 'clock',
    wanted: `within ${CLOCK_TOLERANCE} s of ours`,
    found: seconds === 0 ? 'as ours' : `${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`,
    ok: Math.abs(clockAhead) <= CLOCK_TOLERANCE,
    remedy: `on ${node}: sudo timedatectl set-ntp true`,
  });
}

function disk({ node, free }: NodeFacts): Check {
  return judged({
    node,
    check: 'disk',
    wanted: `${gigabytes(ROOM)} free`,
    found: `${gigabytes(free)} free`,
    ok: free >= ROOM,
    remedy: `make room under /var/lib/rancher on ${node}`,
  });
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

function tools({ node, tools: found }: NodeFacts): Check {
  const missing = NEEDED_TOOLS.filter((tool) => !found.has(tool));
  return judged({
    node,
    check: 'tools',
    wanted: NEEDED_TOOLS.join(', '),
    found: missing.length === 0 ? 'all there' : `no ${missing.join(', ')}`,
    ok: missing.length === 0,
    remedy: `install ${missing.join(' ')} on ${node}`,
  });
}

/** One CNI is what runs; two are one that left something behind (E14). */
function traces({ node, traces: found }: NodeFacts): Check {
  const cnis = [...new Set(found.map(({ cni }) => cni))];
  return judged({
    node,
    check: 'one CNI',
    wanted: 'traces of one at most',
    found: cnis.length === 0 ? 'none' : cnis.join(', '),
    ok: cnis.length <= 1,
    remedy: `remove what the other one left: ${found.map(({ what }) => what).join(', ')}`,
  });
}

function dataLink(node: Node, { links }: NodeFacts): readonly Check[] {
  const { dataInterface, dataAddress } = node;
  if (dataInterface === undefined) return [];
  const link = links.find(({ name }) => name === dataInterface);
  const address = link?.addresses.find((own) => own === dataAddress);
  return [
    judged({
      node: node.name,
      check: `link ${dataInterface}`,
      wanted: 'up, with carrier',
      found: linkText(link),
      ok: link?.up === true && link.carrier,
      remedy: `name another interface: nodes.${node.name}.dataInterface has ${namesOf(links)}`,
    }),
    ...(dataAddress === undefined
      ? []
      : [
          judged({
            node: node.name,
            check: `address of ${dataInterface}`,
            wanted: dataAddress,
            found: link?.addresses.join(', ') || 'none',
            ok: address !== undefined,
            remedy: `set nodes.${node.name}.dataAddress to what the interface has, or give it that address`,
          }),
        ]),
  ];
}

function linkText(link: Link | undefined): string {
  if (link === undefined) return 'no such interface';
  if (!link.up) return 'down';
  return link.carrier ? 'up' : 'no carrier (E6)';
}

function namesOf(links: readonly Link[]): string {
  const real = links.filter(({ name, kind }) => name !== 'lo' && (kind ?? 'veth') === 'veth');
  return `these to choose from: ${real.map(({ name }) => name).join(', ')}`;
}

/** Attaching to a driver without native XDP fails, and the agent with it (E15). */
function xdp({ node, drivers, os }: NodeFacts, device: string): Check {
  const driver = drivers.get(device);
  const base = { node, check: `native XDP on ${device}`, wanted: 'a driver with native XDP' };
  if (driver === undefined) return { ...base, state: 'unknown', found: 'driver not known' };
  return judged({
    ...base,
    found: driver,
    ok: hasNativeXdp(driver, os.kernel),
    remedy: `set nodes.${node}.devices to an interface whose driver has it, or loadBalancer.acceleration: best-effort`,
  });
}
