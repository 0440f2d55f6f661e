import { basename } from 'node:path';
import type { SourceTree } from '../../build/tree.ts';
import { judgeFleet, judgeMachine } from '../../cluster/preflight.ts';
import { CONFIG_NAME } from '../../config/load.ts';
import type { Check } from '../../core/check.ts';
import type { Proposal, ProposedNode } from '../../init/propose.ts';
import { textTable } from '../../output/table.ts';
import { checksTable } from './checks.ts';
import type { InitFile } from './init-files.ts';

/** What `init` found and made. */
export interface InitReport {
  readonly proposal: Proposal;
  readonly files: readonly InitFile[];
  readonly tree: SourceTree;
  readonly next: readonly string[];
}

/** What to type next: images that Docker lacks first, because a ship stops at them. */
export function nextCommands(lacking: readonly string[], config: string): readonly string[] {
  const own = basename(config) === CONFIG_NAME ? '' : ` -c ${config}`;
  return [
    ...lacking.map((name) => `docker pull ${name}`),
    `ciliumship preflight${own}`,
    `ciliumship ship${own}`,
  ];
}

/** The nodes as they were found, and what stands in the way of a cluster there. */
export function proposalText({ proposal }: InitReport): string {
  const rows = proposal.nodes.map(({ name, role, machine, data, profile }) => [
    name,
    role,
    machine.facts.k3s ?? 'none',
    data?.link.name ?? 'none in common',
    data?.address ?? '-',
    machine.facts.drivers.get(data?.link.name ?? '') ?? '?',
    data?.nativeXdp === true ? 'native' : 'no',
    profile ?? '-',
  ]);
  const head = ['node', 'role', 'k3s', 'data', 'address', 'driver', 'xdp', 'profile'];
  const open = findings(proposal).filter(({ state }) => state === 'failed');
  const table = textTable(head, rows);
  return open.length === 0 ? table : `${table}\n\n${checksTable(open)}`;
}

function findings({ nodes }: Proposal): readonly Check[] {
  return [
    ...nodes.flatMap((node) => judgeMachine(node, node.machine.facts)),
    ...judgeFleet(nodes.map(({ machine }) => machine.facts)),
  ];
}

/** The same for a script. */
export function initData({ proposal, files, tree, next }: InitReport) {
  return {
    source: { path: tree.path, version: tree.version, commit: tree.commit },
    nodes: proposal.nodes.map(nodeData),
    platform: proposal.platform,
    podCidr: proposal.podCidr,
    files,
    checks: findings(proposal),
    next,
  };
}

function nodeData(node: ProposedNode) {
  const { name, ssh, role, nodeName, dataInterface, dataAddress, devices, profile, data } = node;
  const nativeXdp = data?.nativeXdp ?? null;
  return { name, ssh, role, nodeName, dataInterface, dataAddress, devices, profile, nativeXdp };
}
