import type { Node } from '../../core/node.ts';
import { hasNativeXdp } from '../../facts/drivers.ts';
import type { Link } from '../../facts/links.ts';
import { isMade } from '../../facts/made-links.ts';
import type { NodeFacts } from '../../facts/node-facts.ts';
import { formatBytes } from '../../output/progress.ts';
import { textTable } from '../../output/table.ts';

/** One line for each machine, and which of them has no zstd. */
export function machineTable(fleet: readonly NodeFacts[]): string {
  const rows = fleet.map(({ node, os, cgroup, k3s, containerd, free }) => [
    node,
    os.name,
    os.kernel,
    cgroup === 'cgroup2fs' ? 'v2' : 'v1',
    k3s ?? 'none',
    containerd ?? 'none',
    formatBytes(free),
  ]);
  const head = ['node', 'system', 'kernel', 'cgroup', 'k3s', 'containerd', 'free'];
  const without = fleet.filter(({ tools }) => !tools.has('zstd')).map(({ node }) => node);
  const note = without.length === 0 ? [] : [`no zstd on ${without.join(', ')}: ${WITHOUT_ZSTD}`];
  return [textTable(head, rows), ...note].join('\n');
}

const WITHOUT_ZSTD = 'layers go there whole, packed by gzip';

/** One line for each interface that someone may want to name in the config. */
export function linkTable(nodes: readonly Node[], fleet: readonly NodeFacts[]): string {
  const rows = fleet.flatMap((facts) =>
    facts.links.filter(({ name }) => !isMade(name)).map((link) => linkRow(nodes, facts, link)),
  );
  const head = ['node', 'interface', 'driver', 'xdp', 'link', 'mtu', 'queues', 'addresses', 'use'];
  return textTable(head, rows);
}

function linkRow(nodes: readonly Node[], facts: NodeFacts, link: Link): readonly string[] {
  const { node, os, drivers, speeds, sshInterface } = facts;
  const { name, mtu, up, carrier, queues, addresses } = link;
  const driver = drivers.get(name);
  const own = nodes.find((known) => known.name === node);
  const uses = { data: own?.dataInterface === name, ssh: sshInterface === name };
  return [
    node,
    name,
    driver ?? '?',
    driver === undefined ? '?' : hasNativeXdp(driver, os.kernel) ? 'native' : 'no',
    !up ? 'down' : carrier ? `up ${speedText(speeds.get(name))}`.trim() : 'no carrier',
    String(mtu),
    String(queues),
    addresses.filter((address) => !address.startsWith('fe80:')).join(', '),
    Object.entries(uses)
      .flatMap(([use, is]) => (is ? [use] : []))
      .join(', '),
  ];
}

/** `10G`, `2.5G`, `100M`. */
function speedText(megabits: number | undefined): string {
  if (megabits === undefined) return '';
  return megabits < 1_000 ? `${megabits}M` : `${megabits / 1_000}G`;
}

/** Facts as plain data for a script. */
export function factsData(facts: NodeFacts): unknown {
  return {
    ...facts,
    drivers: Object.fromEntries(facts.drivers),
    speeds: Object.fromEntries(facts.speeds),
    merging: Object.fromEntries(facts.merging),
    tools: [...facts.tools],
  };
}
