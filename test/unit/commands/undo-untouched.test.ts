import { expect, test } from 'vitest';
import { rollOut } from '../../../src/commands/shared/roll-out.ts';
import { exitCode } from '../../../src/core/errors.ts';
import type { Node } from '../../../src/core/node.ts';
import type { Cluster, FoundNodeConfig, Pod } from '../../../src/deploy/cluster.ts';
import { nodeConfigHash, NODE_CONFIG_ANNOTATION } from '../../../src/deploy/node-config.ts';
import { configNode, clusterThat } from '../../support/fake-cluster.ts';
import { crashing, failureOf, FLEET, NEW } from '../../support/failing-rollout.ts';

const MASTER = configNode('master', { role: 'server', profile: 'm', devices: ['eth0'] });
const WORKER = configNode('worker', { profile: 'w', devices: ['eth1'] });
const CONFIGS = [
  { name: 'm', profile: 'm', defaults: { devices: 'eth0' }, ours: true },
  { name: 'w', profile: 'w', defaults: { devices: 'eth1' }, ours: true },
];
/** What the way back does where it is right: the canary, and nothing else. */
const ONLY_THE_CANARY = ['delete old-worker', 'delete crashes-worker'];

interface Surroundings {
  readonly nodes: readonly Node[];
  readonly labels: Readonly<Record<string, string>>;
  readonly configs: readonly FoundNodeConfig[];
  /** As the cluster shows an agent. */
  readonly shown?: (pod: Pod) => Pod;
  readonly wanted?: string;
}

/** A rollout over a finished one, on nodes that are told something; agents of `wanted` crash. */
async function rolloutOn({ nodes, labels, configs, shown = (pod) => pod, wanted }: Surroundings) {
  const run = await crashing({}, true, wanted);
  const own = run.rollout.cluster;
  for (const [node, profile] of Object.entries(labels)) {
    await own.labelNode(node, { 'hw-profile': profile });
  }
  const pods: Cluster['pods'] = async (...of) => (await own.pods(...of)).map(shown);
  const cluster = clusterThat({
    ...own,
    pods,
    nodeConfigVersion: async () => 'v2',
    nodeConfigs: async () => configs,
  });
  const context = { ...run.context, config: { ...run.context.config, nodes } };
  const rollout = { ...run.rollout, cluster, candidates: await own.nodes() };
  return { ...run, context, rollout };
}

async function deletedBy(run: Awaited<ReturnType<typeof rolloutOn>>): Promise<readonly string[]> {
  const error = await failureOf(run);
  expect(exitCode(error.kind), error.message).toBe(9);
  return run.changes.filter((change) => change.startsWith('delete'));
}

function annotated(pod: Pod, value: string | undefined): Pod {
  const annotations = value === undefined ? {} : { [NODE_CONFIG_ANNOTATION]: value };
  return { ...pod, annotations };
}

test('F40: an agent that somebody started anew since the last deploy is left alone by the way back', async () => {
  const labels = { master: 'm', worker: 'w' };
  const told = {
    nodes: Object.entries(labels).map(([name, profile]) => ({
      name,
      labels: { 'hw-profile': profile },
    })),
    configs: CONFIGS,
  };
  const shown = (pod: Pod): Pod => {
    if (pod.name === 'old-master') return annotated(pod, undefined);
    return pod.name === 'old-worker' ? annotated(pod, nodeConfigHash('worker', told)) : pod;
  };
  const run = await rolloutOn({ nodes: [MASTER, WORKER], labels, configs: CONFIGS, shown });
  expect(await deletedBy(run)).toEqual(ONLY_THE_CANARY);
});

test('F40: agents that obey CiliumNodeConfigs of somebody else are left alone by the way back', async () => {
  const theirs = CONFIGS.map((config) => ({ ...config, ours: false }));
  const labels = { master: 'm', worker: 'w' };
  const where = { nodes: [MASTER, WORKER], labels, configs: theirs };
  const good = await rolloutOn({ ...where, wanted: NEW });
  await rollOut(good.context, FLEET, good.rollout);
  const proved = await good.rollout.cluster.pods('', 'k8s-app=cilium');
  const proofOf = (name: string) => proved.find((pod) => pod.node === name)?.annotations;
  const shown = (pod: Pod): Pod =>
    pod.name.startsWith('old') ? { ...pod, annotations: proofOf(pod.node ?? '') ?? {} } : pod;
  expect(await deletedBy(await rolloutOn({ ...where, shown }))).toEqual(ONLY_THE_CANARY);
  // What a rollout proves and what the way back asks for is one hash.
  const told = { nodes: await good.rollout.cluster.nodes(), configs: theirs };
  expect(proofOf('master')).toEqual({ [NODE_CONFIG_ANNOTATION]: nodeConfigHash('master', told) });
});

test('F40: an agent of a node that was labelled by hand is left alone by the way back', async () => {
  const nodes = [configNode('master', { role: 'server' }), WORKER];
  const labels = { master: 'w', worker: 'w' };
  const run = await rolloutOn({ nodes, labels, configs: CONFIGS.slice(1) });
  expect(await deletedBy(run)).toEqual(ONLY_THE_CANARY);
});

test('F40: an agent that was there before, and is not ready any more, is replaced by the way back', async () => {
  const labels = { master: 'm', worker: 'w' };
  const changes: string[] = [];
  const shown = (pod: Pod): Pod => {
    const broke = changes.includes('delete old-worker') && !changes.includes('delete old-master');
    return pod.name === 'old-master' ? { ...annotated(pod, undefined), ready: !broke } : pod;
  };
  const run = await rolloutOn({ nodes: [MASTER, WORKER], labels, configs: CONFIGS, shown });
  const deletePod: Cluster['deletePod'] = async (namespace, pod) => {
    changes.push(`delete ${pod.name}`);
    await run.rollout.cluster.deletePod(namespace, pod);
  };
  const cluster = clusterThat({ ...run.rollout.cluster, deletePod });
  const deleted = await deletedBy({ ...run, rollout: { ...run.rollout, cluster } });
  expect(deleted).toContain('delete old-master');
});
