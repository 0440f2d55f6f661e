import { judged, unknown, type Check } from '../core/check.ts';
import { shortDigest, type Digest } from '../core/digest.ts';
import { describePod, OPERATOR_CONTAINER, runningImage } from './agents.ts';
import type { Pod, StuckPod } from './cluster.ts';
import type { Wanted } from './wanted.ts';

const DEPLOY = 'ciliumship deploy';

/** What a pod must run. */
export function checkImage(
  node: string,
  what: 'agent' | 'operator',
  wanted: Digest | undefined,
  found: Digest | undefined,
): Check {
  return judged({
    node,
    id: `${what}-image`,
    check: `${what} image`,
    wanted: wanted === undefined ? 'the chart’s own' : shortDigest(wanted),
    found: found === undefined ? 'nothing' : shortDigest(found),
    ok: wanted === undefined || wanted === found,
    remedy: 'bring it to what was built: ciliumship ship',
  });
}

/** That a pod is there and ready. */
export function checkReady(
  node: string,
  what: 'agent' | 'operator' | 'envoy',
  pod: Pod | undefined,
): Check {
  return judged({
    node,
    id: `${what}-ready`,
    check: `${what} ready`,
    wanted: 'ready',
    found: describePod(pod),
    ok: pod?.ready === true,
    remedy: DEPLOY,
  });
}

/** The operators, wherever they run. */
export function checkOperator(
  { operatorImage }: Pick<Wanted, 'operatorImage'>,
  pods: readonly Pod[],
): readonly Check[] {
  const running = pods.filter(({ deleting }) => !deleting);
  const looked = running.length === 0 ? [undefined] : running;
  return looked.flatMap((pod) => {
    const node = pod?.node ?? 'cluster';
    return [
      checkImage(node, 'operator', operatorImage, runningImage(pod, OPERATOR_CONTAINER)),
      checkReady(node, 'operator', pod),
    ];
  });
}

/**
 * A CNI that is installed and does not work shows first in pods that never begin.
 *
 * @param node its name in the config, and `name` in Kubernetes
 * @param stuck undefined when nobody could look
 */
export function checkStuck(
  node: string,
  name: string,
  stuck: readonly StuckPod[] | undefined,
): Check {
  const about = { node, id: 'pods-created', check: 'pods get a network', wanted: 'none waits' };
  if (stuck === undefined) {
    const remedy =
      'use a kubeconfig that may list pods everywhere: ciliumship validate --kubeconfig FILE';
    return unknown({ ...about, found: 'not every pod could be looked at', remedy });
  }
  const here = stuck.filter((pod) => pod.node === name);
  const [first] = here;
  return judged({
    ...about,
    found:
      first === undefined
        ? 'none waits'
        : `${here.map((pod) => `${pod.namespace}/${pod.name}`).join(', ')}: ${first.why}`,
    ok: first === undefined,
    remedy: `see: kubectl -n ${first?.namespace} describe pod ${first?.name}; ciliumship doctor`,
  });
}
