import {
  pauseImage,
  PROBE_NAMESPACE,
  PROBE_SELECTOR,
  probePod,
  reachProbes,
  type Probe,
} from '../../cluster/cni/probe.ts';
import type { Check } from '../../core/check.ts';
import { combineFailures, ShipError } from '../../core/errors.ts';
import { kubernetesName, type Node } from '../../core/node.ts';
import type { Step } from '../../core/step.ts';
import { waitFor } from '../../core/wait.ts';
import { parseCriImages } from '../../facts/cri.ts';
import { runStage, settleStage } from '../../output/stage.ts';
import type { Session } from '../../system/ssh/session.ts';
import type { Context } from '../command.ts';
import type { ClusterAccess } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { timeoutOf } from './timeout.ts';
import { looking } from './stages.ts';

const IMAGES = ['k3s', 'crictl', 'images', '-o', 'json'] as const;

/**
 * Proves that pods have a network: starts a small one on each node, waits until it has an address,
 * pings every other one out of it, and removes them all.
 *
 * @returns one check for each pair of nodes, and the addresses
 * @throws ShipError `deploy` when a pod gets no address in time
 */
export async function probePods(
  context: Context,
  fleet: Fleet,
  access: ClusterAccess,
): Promise<{ readonly checks: readonly Check[]; readonly probes: readonly Probe[] }> {
  try {
    const probes = await startProbes(context, fleet, access);
    const steps = probes.map((probe) => reachStep(probe, probes, fleet));
    const { results, failures } = await settleStage('Ping', steps, looking(context));
    if (failures.size > 0) throw combineFailures('the proof of pods', failures);
    return { checks: [...results.values()].flat(), probes };
  } finally {
    await removeProbes(context, access);
  }
}

/** Starts a probe on each node. Whoever does so removes them, whatever comes. Throws as `probePods`. */
export async function startProbes(
  context: Context,
  fleet: Fleet,
  access: ClusterAccess,
): Promise<readonly Probe[]> {
  const nodes = context.config.nodes.filter(({ name }) => fleet.sessions.has(name));
  const starts = nodes.map((node) => startStep(context, node, sessionOf(fleet, node), access));
  return [...(await runStage('Probe', starts, looking(context))).values()];
}

/** Removes all probes. What cannot be removed is said, and no more. */
export async function removeProbes({ output }: Context, access: ClusterAccess): Promise<void> {
  // Also after a Ctrl-C, when nothing else is asked of the cluster any more.
  await deleteProbes(access).catch((error: unknown) => {
    output.note(`probe pods are left: ${String(error)}`);
  });
}

function startStep(
  context: Context,
  node: Node,
  session: Session,
  { cluster }: ClusterAccess,
): Step<Probe> {
  const kubernetes = kubernetesName(node);
  return {
    id: node.name,
    title: `start a pod on ${node.name}`,
    run: async ({ signal }) => {
      const { stdout } = await session.run(IMAGES, { sudo: true, signal });
      const names = parseCriImages(stdout).flatMap((image) => image.names);
      const pod = probePod(kubernetes, pauseImage(node.name, names));
      await cluster.applyObject(pod);
      const address = await waitFor(
        async () => {
          const found = await cluster.pods(PROBE_NAMESPACE, PROBE_SELECTOR);
          const own = found.find(({ name }) => name === pod.metadata.name);
          return own?.ready === true ? own.address : undefined;
        },
        timeoutOf(context),
        signal,
        () => noAddress(node, pod.metadata.name),
      );
      return { node: node.name, address };
    },
    describe: ({ address }) => `${node.name} ${address}`,
  };
}

function noAddress({ name }: Node, pod: string): ShipError {
  return new ShipError('deploy', `${name}: a new pod gets no address`, {
    hint: `see why: kubectl -n ${PROBE_NAMESPACE} describe pod ${pod}; leftovers of another CNI: ciliumship doctor E14`,
  });
}

function reachStep(probe: Probe, probes: readonly Probe[], fleet: Fleet): Step<readonly Check[]> {
  const others = probes.filter(({ node }) => node !== probe.node);
  return {
    id: probe.node,
    title: `ping the others out of the pod on ${probe.node}`,
    run: ({ signal }) => reachProbes(probe, others, sessionOf(fleet, { name: probe.node }), signal),
    describe: (checks) =>
      `${probe.node} reaches ${checks.filter(({ state }) => state === 'ok').length} of ${others.length}`,
  };
}

function sessionOf({ sessions }: Fleet, { name }: Pick<Node, 'name'>): Session {
  const session = sessions.get(name);
  if (session === undefined) throw new Error(`not connected to ${name}`);
  return session;
}

async function deleteProbes({ closing }: ClusterAccess): Promise<void> {
  const cluster = closing();
  const pods = await cluster.pods(PROBE_NAMESPACE, PROBE_SELECTOR);
  await Promise.all(pods.map((pod) => cluster.deletePod(PROBE_NAMESPACE, pod)));
}
