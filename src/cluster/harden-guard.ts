import { ShipError } from '../core/errors.ts';
import type { Node } from '../core/node.ts';
import type { NodeFacts } from '../facts/node-facts.ts';
import { sessionOn } from '../facts/session-links.ts';

/** Interfaces of a node that Cilium attaches to, and that carry its data. */
export function devicesOf(node: Node): readonly string[] {
  const { devices, dataInterface } = node;
  return [...new Set([...devices, ...(dataInterface === undefined ? [] : [dataInterface])])];
}

/**
 * Why nothing may be changed on a node: an agent runs (E9), an interface is not there, or our own SSH
 * session passes through it (E15).
 *
 * @returns undefined when nothing stands in the way
 */
export function hardenRefusal(
  node: Node,
  { links, sshInterface, tools }: NodeFacts,
  agentRuns: boolean,
): ShipError | undefined {
  const { name } = node;
  if (agentRuns) {
    return refused(
      `${name}: an agent of Cilium runs; the driver may drop its programs when it is set anew`,
      `take Cilium off first: ciliumship cni uninstall; more: ciliumship explain E9`,
    );
  }
  if (!tools.has('ethtool')) return refused(`${name}: has no ethtool`, `install it on ${name}`);
  const unknown = devicesOf(node).find((device) => !links.some((link) => link.name === device));
  if (unknown !== undefined) {
    const there = links.map((link) => link.name).join(', ');
    return refused(`${name}: has no interface ${unknown}, but ${there}`, `mend nodes.${name}`);
  }
  const reasons = devicesOf(node).map((device) => sessionOn(device, links, sshInterface));
  const ours = reasons.find((reason) => reason !== undefined);
  if (ours === undefined) return undefined;
  return refused(
    `${name}: ${ours}`,
    `reach ${name} by another interface (nodes.${name}.ssh); more: ciliumship explain E15`,
  );
}

function refused(message: string, hint: string): ShipError {
  return new ShipError('usage', message, { hint });
}
