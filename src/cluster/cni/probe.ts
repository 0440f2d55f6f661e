import { judged, type Check } from '../../core/check.ts';
import { ShipError } from '../../core/errors.ts';
import type { Remote } from '../../core/remote.ts';
import { waitFor } from '../../core/wait.ts';
import { parseNetns } from '../../facts/netns.ts';
import type { KubeObject } from './manifest.ts';

/** Small pods that show whether pods get a network: one on each node, of the image that K3s itself
 * starts pods with, so that nothing has to be brought or pulled for it. */
export const PROBE_NAMESPACE = 'kube-system';
export const PROBE_SELECTOR = 'app.kubernetes.io/name=ciliumship-probe';

const PAUSE = /(^|\/)(mirrored-)?pause:/;
/** Milliseconds until a pod that has an address must be reached. */
const PATIENCE = 30_000;

/**
 * The name of K3s's pause image among those of a node.
 *
 * @throws ShipError `storage` when there is none: then no pod can start there
 */
export function pauseImage(node: string, names: readonly string[]): string {
  const found = names.find((name) => PAUSE.test(name));
  if (found !== undefined) return found;
  throw new ShipError('storage', `${node}: has no pause image, so no pod can start there`, {
    hint: 'K3s pulls it, or brings it in its airgap images: put those into /var/lib/rancher/k3s/agent/images',
  });
}

/** A pod that is put onto a node past the scheduler, and does nothing. */
export function probePod(node: string, image: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `ciliumship-probe-${node}`,
      namespace: PROBE_NAMESPACE,
      labels: {
        'app.kubernetes.io/name': 'ciliumship-probe',
        'app.kubernetes.io/managed-by': 'ciliumship',
      },
    } as KubeObject['metadata'],
    spec: {
      nodeName: node,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'pause', image, imagePullPolicy: 'Never' }],
    },
  };
}

/** A probe that runs: where it is, and the address that it was given. */
export interface Probe {
  /** Name in the config. */
  readonly node: string;
  readonly address: string;
}

/**
 * Pings every other probe out of the network of the one on a node.
 *
 * @throws ShipError `storage` when its network is not found there; what the connection throws
 */
export async function reachProbes(
  from: Probe,
  others: readonly Probe[],
  remote: Remote,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const netns = await networkOf(from, remote, signal);
  return Promise.all(others.map((to) => reach(from, to, { netns, remote, signal })));
}

/**
 * The network namespace of a probe on its node.
 *
 * @throws ShipError `storage` when it is not found there
 */
export async function networkOf(
  { node, address }: Probe,
  remote: Remote,
  signal: AbortSignal,
): Promise<string> {
  const argv = ['ip', '-all', 'netns', 'exec', 'ip', '-o', 'addr'] as const;
  // Ends with the code of the last one, which may be of a pod that is going.
  const found = await remote.run(argv, { sudo: true, signal, accept: [1, 2, 255] });
  const netns = parseNetns(found.stdout).get(address);
  if (netns !== undefined) return netns;
  throw new ShipError('storage', `${node}: no network namespace has the pod's address ${address}`, {
    hint: `look at the pod: kubectl -n ${PROBE_NAMESPACE} describe pods -l ${PROBE_SELECTOR}`,
  });
}

async function reach(
  from: Probe,
  to: Probe,
  way: { readonly netns: string; readonly remote: Remote; readonly signal: AbortSignal },
): Promise<Check> {
  const { netns, remote, signal } = way;
  const ping = ['ping', '-c', '1', '-W', '1', to.address] as const;
  const answers = async (): Promise<true | undefined> => {
    const argv = ['ip', 'netns', 'exec', netns, ...ping] as const;
    const { code } = await remote.run(argv, { sudo: true, signal, accept: [1, 2] });
    return code === 0 ? true : undefined;
  };
  const silent = new Error('silent');
  const ok = await waitFor(answers, PATIENCE, signal, () => silent).catch((error: unknown) => {
    if (error === silent) return undefined;
    throw error;
  });
  return judged({
    node: from.node,
    check: `pod reaches pod on ${to.node}`,
    wanted: `${to.address} answers ${from.address}`,
    found: ok === true ? 'answers' : 'no answer',
    ok: ok === true,
    remedy: `look at the agents of both nodes, and whether UDP 8472 gets from ${from.node} to ${to.node}: ciliumship preflight`,
  });
}
