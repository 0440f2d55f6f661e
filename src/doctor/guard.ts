import { ShipError } from '../core/errors.ts';
import type { NodeHealth } from '../facts/node-health.ts';
import { sessionOn } from '../facts/session-links.ts';
import type { Finding } from './problem.ts';

/**
 * Why a fix must not be done, by what the node is at this moment: it would cut our own connection
 * (E15), pull programs from under an agent, or take something away that nobody agreed to.
 *
 * @param health of the node; undefined for what is not done to a node
 * @param confirmed names of `--confirm`
 */
export function refusal(
  { id, where, fix }: Finding,
  health: NodeHealth | undefined,
  confirmed: readonly string[],
): ShipError | undefined {
  if (fix?.consent === 'confirm' && !confirmed.includes(where)) {
    return refused(
      `${where}: the fix of ${id} takes something away, and ${where} is not confirmed`,
      `look at ciliumship explain ${id}, then: ciliumship doctor --fix ${id} --confirm ${where}`,
    );
  }
  if (fix?.withoutAgent === true && health?.agentRuns !== false) {
    return refused(
      `${where}: an agent runs; the fix of ${id} would pull its programs from under it`,
      `restart the agent first: kubectl -n kube-system delete pod -l k8s-app=cilium --field-selector spec.nodeName=${where}`,
    );
  }
  return fix?.device === undefined ? undefined : ofDevice(id, where, fix.device, health);
}

function ofDevice(
  id: string,
  where: string,
  device: string,
  health: NodeHealth | undefined,
): ShipError | undefined {
  const { links, sshInterface } = health?.machine ?? { links: [], sshInterface: undefined };
  const which = sessionOn(device, links, sshInterface);
  if (which === undefined) return undefined;
  return refused(
    `${where}: ${which} (${id})`,
    `reach ${where} by another interface (nodes.${where}.ssh), then: ciliumship doctor --fix ${id}; more: ciliumship explain E15`,
  );
}

function refused(message: string, hint: string): ShipError {
  return new ShipError('usage', message, { hint });
}
