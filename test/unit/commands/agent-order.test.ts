import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { goBack } from '../../../src/commands/shared/go-back.ts';
import { rollOut } from '../../../src/commands/shared/roll-out.ts';
import { undoing } from '../../../src/commands/shared/undo.ts';
import { agentAmong, works } from '../../../src/deploy/agents.ts';
import type { Cluster, Helm, Pod } from '../../../src/deploy/cluster.ts';
import { UNFINISHED } from '../../../src/deploy/descriptions.ts';
import { crashing, FLEET, NEW, RELEASE } from '../../support/failing-rollout.ts';
import { clusterThat, configNode } from '../../support/fake-cluster.ts';
import { CRASHES, OLD, rollingCluster } from '../../support/rolling-cluster.ts';

const NODES = ['a', 'b', 'c'];

/**
 * A rollout of another template on three nodes, of which `a` is the canary.
 *
 * @param asSeen makes of each agent what the cluster shows of it
 */
async function threeNodes(asSeen: (pod: Pod) => Pod) {
  const run = await crashing({}, true, NEW);
  const { cluster: rolling } = rollingCluster(run.helm, RELEASE, NODES);
  const taken: string[] = [];
  const pods: Cluster['pods'] = async (namespace, selector) =>
    (await rolling.pods(namespace, selector)).map(asSeen);
  const cluster = clusterThat({
    ...rolling,
    pods,
    deletePod: async (namespace, pod) => {
      const all = await pods(namespace, 'k8s-app=cilium');
      const down = NODES.filter((name) => name !== pod.node && !works(agentAmong(all, name)));
      taken.push([pod.name, pod.ready ? 'healthy' : 'down', ...down].join(' '));
      await rolling.deletePod(namespace, pod);
    },
  });
  const config = { ...run.context.config, nodes: NODES.map((name) => configNode(name)) };
  const candidates = await cluster.nodes();
  const rollout = { ...run.rollout, cluster, order: NODES, candidates };
  return { ...run, context: { ...run.context, config }, rollout, taken };
}

/** Revision N is made in the year 2000 + N. */
function madeAt(revision: number): string {
  return `${2000 + revision}-01-01T00:00:00Z`;
}

function timed(helm: Helm): Helm {
  const history: Helm['history'] = async (release) =>
    (await helm.history(release)).map((entry) => ({ ...entry, updated: madeAt(entry.revision) }));
  return { ...helm, history };
}

function downWhen(isDown: (pod: Pod) => boolean) {
  return (pod: Pod): Pod => (isDown(pod) ? { ...pod, ready: false } : pod);
}

const cIsDown = downWhen(({ name }) => name === 'old-c');

test('a deploy begins where the agent is down, says why, and takes none that works away meanwhile', async () => {
  const { context, rollout, taken, lines } = await threeNodes(cIsDown);
  await rollOut(context, FLEET, rollout);
  expect(taken).toEqual(['old-c down', 'old-a healthy', 'old-b healthy']);
  expect(lines.join('')).toContain(
    'c comes before the canary a: its agent does not work (old-c is not ready, 0 restarts), and none that works is taken away meanwhile',
  );
});

test('a rollback begins there too', async () => {
  let broke = false;
  const run = await threeNodes(downWhen(({ name }) => broke && name === 'new-c'));
  await rollOut(run.context, FLEET, run.rollout);
  run.taken.length = 0;
  broke = true;
  const { cluster, helm } = run.rollout;
  const way = { revision: 2, staged: 1 };
  const to = { cluster, helm, release: RELEASE, way, order: NODES, stores: new Map() };
  await goBack(run.context, to);
  expect(run.taken).toEqual(['new-c down', 'new-a healthy', 'new-b healthy']);
  expect(run.lines.join('')).toContain('c comes before the canary a: its agent does not work');
});

test('an agent that breaks between two nodes stops the rollout: the next one is not taken away', async () => {
  let applied = false;
  const run = await threeNodes(downWhen(({ name }) => applied && name === 'old-c'));
  const annotatePod: Cluster['annotatePod'] = async (...proved) => {
    applied = true;
    await run.rollout.cluster.annotatePod(...proved);
  };
  const cluster = clusterThat({ ...run.rollout.cluster, annotatePod });
  const ended = rollOut(run.context, FLEET, { ...run.rollout, cluster });
  await expect(ended).rejects.toMatchObject({
    kind: 'deploy',
    message:
      'c: the agent does not work (old-c is not ready, 0 restarts), so the one on b was not taken away',
    hint: expect.stringContaining('ciliumship ship'),
  });
  expect(run.taken).toEqual(['old-a healthy']);
});

test('a way back begins with the agent that nobody proved, whoever is down because of it', async () => {
  let canary = false;
  const run = await threeNodes(downWhen(({ name }) => canary && name === 'old-c'));
  const helm = timed(run.rollout.helm);
  const judged = async (): Promise<void> => {
    const { cluster, underWay } = run.rollout;
    await helm.upgrade(underWay, UNFINISHED);
    const pods = await cluster.pods(RELEASE.namespace, 'k8s-app=cilium');
    await cluster.deletePod(RELEASE.namespace, agentAmong(pods, 'a')!);
    const [begun] = await cluster.pods(RELEASE.namespace, 'k8s-app=cilium');
    expect(begun).toBeDefined();
    canary = true;
    throw new Error('the gate said no about a');
  };
  // What ails c is over when the canary runs its old agent again.
  const deletePod: Cluster['deletePod'] = async (namespace, pod) => {
    await run.rollout.cluster.deletePod(namespace, pod);
    if (pod.name === 'new-a') canary = false;
  };
  const pods: Cluster['pods'] = async (...of) =>
    (await run.rollout.cluster.pods(...of)).map((pod) =>
      pod.name === 'new-a' ? { ...pod, started: madeAt(4) } : pod,
    );
  const cluster = clusterThat({ ...run.rollout.cluster, deletePod, pods });
  const ended = undoing(run.context, FLEET, { ...run.rollout, cluster, helm }, judged);
  await expect(ended).rejects.toMatchObject({ kind: 'rolled-back' });
  expect(run.taken).toEqual(['old-a healthy', 'new-a healthy c']);
  expect(run.lines.join('')).not.toContain('comes before');
});

test('a rollback that is typed again takes no agent of the finished release while another is down', async () => {
  const run = await threeNodes(downWhen(({ name }) => name === 'old-a'));
  const { rollout, taken } = run;
  let finished = false;
  // Since then somebody started them anew, and nobody proved those.
  const anew = (pod: Pod): Pod =>
    finished && pod.name.startsWith('new') ? { ...pod, annotations: {}, started: madeAt(4) } : pod;
  const pods: Cluster['pods'] = async (...of) => (await rollout.cluster.pods(...of)).map(anew);
  const cluster = clusterThat({ ...rollout.cluster, pods });
  const helm = timed(rollout.helm);
  await rollOut(run.context, FLEET, { ...rollout, cluster, helm });
  finished = true;
  taken.length = 0;
  const way = { revision: 2, staged: 1 };
  const to = { cluster, helm, release: RELEASE, way, order: NODES, stores: new Map() };
  const failure = 'a: the new agent was not ready';
  await expect(goBack(run.context, to)).rejects.toThrow(failure);
  await expect(goBack(run.context, to)).rejects.toThrow(failure);
  expect(taken).toEqual(['new-a healthy']);
  expect(run.lines.join('')).not.toContain('an unfinished rollout left');
});

test('a first install keeps the canary first: no agent is there at all', async () => {
  const run = await crashing({}, false, NEW);
  await rollOut(run.context, FLEET, run.rollout);
  const released = run.changes.filter((change) => change.includes('null'));
  expect(released.map((change) => change.split(' ')[1])).toEqual(['worker', 'master']);
  expect(run.lines.join('')).not.toContain('comes before');
});

test('the agents that an unfinished rollout broke are the first that the next one mends', async () => {
  const run = await crashing({ rollback: false }, true, CRASHES);
  await undoing(run.context, FLEET, run.rollout, () =>
    rollOut(run.context, FLEET, run.rollout),
  ).catch(() => undefined);
  run.changes.length = 0;
  const values = join(run.context.config.folder, 'mended.yaml');
  writeFileSync(values, OLD.replace('old', 'mended'));
  const release = { ...run.rollout.release, values: [values] };
  const history = await run.helm.history(RELEASE);
  const order = ['master', 'worker'];
  const mended = { ...run.rollout, release, underWay: release, order, history };
  await rollOut(run.context, FLEET, mended);
  const deleted = run.changes.filter((change) => change.startsWith('delete'));
  expect(deleted).toEqual(['delete crashes-worker', 'delete old-master']);
});
