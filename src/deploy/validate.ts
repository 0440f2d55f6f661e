import type { Check } from '../core/check.ts';
import { AGENT_CONTAINER, runningImage } from './agents.ts';
import { checkDataPath, type DataPath } from './check-datapath.ts';
import { checkImage, checkReady, checkStuck } from './check-pods.ts';
import { checkStatus, type Said } from './check-status.ts';
import type { Pod, StuckPod } from './cluster.ts';
import type { Wanted } from './wanted.ts';

/** What was found on one node. */
export interface Found extends Said, DataPath {
  /** Undefined when no pod of it is there. */
  readonly envoy: Pod | undefined;
  /** Undefined when nobody could ask. */
  readonly stuck: readonly StuckPod[] | undefined;
}

/** What every agent that works can say. */
const SAID = new Set(['agent-state', 'api-server', 'node-health']);

/** Whether a new agent has still to prove something: what it cannot say is not proved. */
export function isOpen({ id = '', state }: Check): boolean {
  return state === 'failed' || (state === 'unknown' && SAID.has(id));
}

/** The procedure's step 4 for one node, and what it leaves out (reference procedure, Modified Cilium Installation). */
export function checkNode(wanted: Wanted, found: Found): readonly Check[] {
  const { node, agent } = found;
  return [
    checkImage(node, 'agent', wanted.agentImage, runningImage(agent, AGENT_CONTAINER)),
    checkReady(node, 'agent', agent),
    ...(wanted.envoy ? [checkReady(node, 'envoy', found.envoy)] : []),
    ...checkDataPath(wanted, found),
    ...checkStatus(wanted, found),
    checkStuck(node, wanted.name, found.stuck),
  ];
}
