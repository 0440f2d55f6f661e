import { isDigest, shortDigest, type Digest } from '../core/digest.ts';
import { qualified, type NodeStore } from '../facts/node-store.ts';
import { AGENT_CONTAINER, AGENT_SET, OPERATOR_CONTAINER, OPERATOR_SET } from './agents.ts';
import type { RenderedWorkload } from './manifest.ts';
import type { Shipped } from './wanted.ts';

/**
 * Config digests of agent and operator that a revision names: its tags say only how they begin, and
 * the nodes have them whole. An image that was not shipped names none.
 */
export function namedBy(
  workloads: readonly RenderedWorkload[],
  stores: ReadonlyMap<string, Pick<NodeStore, 'cri'>>,
): Shipped {
  const known = [...stores.values()].flatMap(({ cri }) => cri);
  const digestOf = (set: string, container: string): Digest | undefined => {
    const workload = workloads.find(({ name }) => name === set);
    const image = workload?.images.find((found) => found.container === container)?.image ?? '';
    const found = known.find(({ names }) => names.includes(qualified(image)))?.id ?? '';
    return isDigest(found) && image.endsWith(`-${shortDigest(found)}`) ? found : undefined;
  };
  return {
    agent: digestOf(AGENT_SET, AGENT_CONTAINER),
    operator: digestOf(OPERATOR_SET, OPERATOR_CONTAINER),
  };
}
