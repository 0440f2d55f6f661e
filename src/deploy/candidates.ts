import type { ClusterNode, Taint } from './cluster.ts';
import type { Expression, RenderedWorkload, Toleration } from './manifest.ts';
import { HOLD_LABEL } from './values.ts';

/** Taints that say how a node is right now; they come and go, so they do not exclude it. */
const PASSING = 'node.kubernetes.io/';
const CILIUM_NOT_READY = 'node.cilium.io/agent-not-ready';

/**
 * The nodes that may run a workload's pods, as the scheduler judges by selector, required affinity
 * and lasting taints.
 */
export function candidateNodes(
  workload: RenderedWorkload,
  nodes: readonly ClusterNode[],
): readonly ClusterNode[] {
  return nodes.filter(
    (node) =>
      Object.entries(workload.nodeSelector).every(([key, value]) => node.labels[key] === value) &&
      fitsAffinity(workload.affinityTerms, node) &&
      node.taints.every((taint) => isTolerated(taint, workload.tolerations)),
  );
}

/** Terms are alternatives, the expressions of one must all hold. */
function fitsAffinity(terms: readonly (readonly Expression[])[], node: ClusterNode): boolean {
  if (terms.length === 0) return true;
  return terms.some((term) => term.every((expression) => holds(expression, node.labels)));
}

function holds(
  { key, operator, values = [] }: Expression,
  labels: Readonly<Record<string, string>>,
): boolean {
  // Our own hold is taken away during the rollout.
  if (key === HOLD_LABEL) return true;
  const found = labels[key];
  switch (operator) {
    case 'In':
      return found !== undefined && values.includes(found);
    case 'NotIn':
      return found === undefined || !values.includes(found);
    case 'Exists':
      return found !== undefined;
    case 'DoesNotExist':
      return found === undefined;
    case 'Gt':
      return Number(found) > Number(values[0]);
    case 'Lt':
      return Number(found) < Number(values[0]);
    default:
      return true;
  }
}

function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  if (taint.effect === 'PreferNoSchedule') return true;
  if (taint.key.startsWith(PASSING) || taint.key === CILIUM_NOT_READY) return true;
  return tolerations.some(
    ({ key, operator = 'Equal', value = '', effect }) =>
      (effect === undefined || effect === taint.effect) &&
      (key === undefined ? operator === 'Exists' : key === taint.key) &&
      (operator === 'Exists' || value === (taint.value ?? '')),
  );
}
