import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Context } from '../../../src/commands/command.ts';
import type { DeployFlags } from '../../../src/commands/shared/deploy-flags.ts';
import type { Fleet } from '../../../src/commands/shared/fleet.ts';
import { rollOut } from '../../../src/commands/shared/roll-out.ts';
import type { Rollout } from '../../../src/commands/shared/rollout.ts';
import { undoing } from '../../../src/commands/shared/undo.ts';
import { exitCode, ShipError } from '../../../src/core/errors.ts';
import type { Cluster } from '../../../src/deploy/cluster.ts';
import { FINISHED, UNFINISHED } from '../../../src/deploy/descriptions.ts';
import type { Session } from '../../../src/system/ssh/session.ts';
import { testContext } from '../../support/context.ts';
import { clusterNode, clusterThat, configNode } from '../../support/fake-cluster.ts';
import { fakeHelm } from '../../support/fake-helm.ts';
import { testFolder } from '../../support/folder.ts';
import { CRASHES, OLD, rollingCluster } from '../../support/rolling-cluster.ts';

const RELEASE = { name: 'cilium', namespace: 'kube-system' };
const NODES = ['master', 'worker'];
const NEW = 'template: new';
const FLEET: Fleet = {
  sessions: new Map(),
  failures: new Map(),
  [Symbol.asyncDispose]: async () => undefined,
};

/** A rollout of agents that crash, or of another template, over a finished one when `installed`. */
async function crashing(flags: DeployFlags = {}, installed = true, template = CRASHES) {
  const folder = testFolder();
  writeFileSync(join(folder, 'Chart.yaml'), '');
  const releaseOf = (template: string) => {
    const values = join(folder, `${template}.yaml`);
    writeFileSync(values, template);
    return { ...RELEASE, chart: folder, values: [values] };
  };
  const helm = fakeHelm();
  if (installed) {
    await helm.upgrade(releaseOf(OLD), UNFINISHED);
    await helm.upgrade(releaseOf(OLD), FINISHED);
  }
  const { cluster, changes } = rollingCluster(helm, RELEASE, NODES, installed ? NODES : []);
  const release = releaseOf(template);
  const rollout: Rollout = {
    cluster,
    helm,
    namespace: RELEASE.namespace,
    release,
    underWay: release,
    rendered: template,
    values: {},
    workloads: [],
    candidates: NODES.map((name) => clusterNode(name)),
    order: NODES.toReversed(),
    images: [],
    stores: new Map(),
    history: await helm.history(RELEASE),
    applied: { manifest: undefined, edits: [] },
  };
  return { context: twoNodes(folder, flags), rollout, helm, changes };
}

function twoNodes(folder: string, flags: DeployFlags): Context<DeployFlags> {
  const { context } = testContext(folder);
  const { config } = context;
  const nodes = [configNode('master', { role: 'server' }), configNode('worker')];
  const deploy = { ...config.deploy, timeout: 1, soak: 1 };
  return {
    ...context,
    flags: { ...context.flags, ...flags },
    config: { ...config, nodes, deploy },
  };
}

/** @returns the error that the rollout ended with */
async function failureOf({ context, rollout }: Awaited<ReturnType<typeof crashing>>) {
  const ended = undoing(context, FLEET, rollout, () => rollOut(context, FLEET, rollout));
  const error = await ended.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ShipError) return error;
  throw new Error('the rollout did not fail as it should', { cause: error });
}

test('F40: agents that crash are undone on the node that was touched, and on no other', async () => {
  const run = await crashing();
  const error = await failureOf(run);
  expect(exitCode(error.kind)).toBe(9);
  expect(error.message).toMatch(/^worker: the new agent was given up: .*CrashLoopBackOff/);
  expect(error.details).toContain('last words of crashes-worker');
  expect(error.details).toContain('revision 2 runs again on every node');
  expect(run.changes.filter((change) => change.startsWith('delete'))).toEqual([
    'delete old-worker',
    'delete crashes-worker',
  ]);
  expect(run.changes.join('\n')).not.toContain('master');
});

test('F36: a call that is not answered undoes nothing: sessions are restored, and it is made again', async () => {
  const run = await crashing({}, true, NEW);
  const { cluster } = run.rollout;
  const away = new ShipError('network', 'the API server does not answer (list pods)');
  let restored = 0;
  const session = { restore: async () => void (restored += 1) } as unknown as Session;
  const pods: Cluster['pods'] = async (...of) => {
    const begun = run.changes.some((change) => change.startsWith('delete'));
    if (begun && restored === 0) throw away;
    return cluster.pods(...of);
  };
  const context = {
    ...run.context,
    config: { ...run.context.config, deploy: { ...run.context.config.deploy, timeout: 5000 } },
  };
  const fleet = { ...FLEET, sessions: new Map([['elsewhere', session]]) };
  const rollout = { ...run.rollout, cluster: clusterThat({ ...cluster, pods }) };
  const revision = await undoing(context, fleet, rollout, () => rollOut(context, fleet, rollout));
  expect(revision).toBe(4);
  expect(restored).toBe(1);
  expect((await run.helm.status(RELEASE))?.description).toBe(FINISHED);
});

test('F40: Helm goes back to the staged revision, and to the finished one when all agents are back', async () => {
  const run = await crashing();
  await failureOf(run);
  const history = await run.helm.history(RELEASE);
  expect(history.map(({ description }) => description)).toEqual([
    UNFINISHED,
    FINISHED,
    UNFINISHED,
    'Rollback to 1',
    'Rollback to 2',
  ]);
});

test('F41: an undoing that fails ends with 10, the state, and three commands to type', async () => {
  const run = await crashing();
  const rollback = async (): Promise<void> => {
    throw new ShipError('deploy', 'helm rollback of cilium failed');
  };
  const error = await failureOf({
    ...run,
    rollout: { ...run.rollout, helm: { ...run.helm, rollback } },
  });
  expect(exitCode(error.kind)).toBe(10);
  expect(error.message).toMatch(/^worker: .*; undoing it failed: helm rollback of cilium failed$/);
  const text = error.details.join('\n');
  expect(text).toContain('last words of crashes-worker');
  expect(text).toContain(`now: revision 3 is deployed (${UNFINISHED})`);
  expect(text).toContain('now: worker: crashes-worker: cilium-agent: CrashLoopBackOff');
  expect(text).toContain('now: master: old-master is ready, 0 restarts');
  expect(text).toContain('by hand: helm rollback cilium 2 -n kube-system');
  expect(text).toContain('kubectl -n kube-system delete pod POD');
  expect(error.hint).toBe('ciliumship rollback --to 2');
});

test('a first install that fails is held again on every node, and no agent is started there', async () => {
  const run = await crashing({}, false);
  const error = await failureOf(run);
  expect(exitCode(error.kind)).toBe(10);
  expect(error.details.join('\n')).toContain('no agent runs on master, worker');
  const hold = '{"ciliumship.io/hold":"true"}';
  expect(run.changes).toEqual([
    `label master ${hold}`,
    `label worker ${hold}`,
    'label worker {"ciliumship.io/hold":null}',
    `label master ${hold}`,
    `label worker ${hold}`,
  ]);
});

test('--no-rollback leaves the canary to look at, and Helm where it is', async () => {
  const run = await crashing({ rollback: false });
  const error = await failureOf(run);
  expect(exitCode(error.kind)).toBe(10);
  expect(error.details).toContain('left as it is, for you to look at');
  expect(run.changes).toEqual(['delete old-worker', 'label worker {"ciliumship.io/hold":null}']);
  expect((await run.helm.status(RELEASE))?.revision).toBe(3);
});

test('a failure before Helm changed anything is told as it is, and nothing is undone', async () => {
  const run = await crashing();
  const upgrade = async (): Promise<number> => {
    throw new ShipError('config', 'helm upgrade was refused');
  };
  const error = await failureOf({
    ...run,
    rollout: { ...run.rollout, helm: { ...run.helm, upgrade } },
  });
  expect(error.message).toBe('helm upgrade was refused');
  expect(run.changes).toEqual([]);
});

test('evidence that cannot be saved is named, and hinders neither the way back nor the reason', async () => {
  const run = await crashing();
  writeFileSync(join(run.context.config.folder, '.ciliumship'), 'a file where a folder should be');
  const error = await failureOf(run);
  expect(exitCode(error.kind)).toBe(9);
  expect(error.message).toMatch(/^worker: the new agent was given up/);
  expect(error.details.join('\n')).toMatch(/no evidence was saved: .*\.ciliumship is no folder/);
});

test('F44: whoever lost the lease stops where it is: nothing is undone', async () => {
  const run = await crashing();
  const lease = new AbortController();
  const lost = new ShipError('locked', 'release cilium was taken over');
  const deletePod = async (): Promise<void> => lease.abort(lost);
  const cluster = clusterThat({ ...run.rollout.cluster, deletePod });
  const context = { ...run.context, signal: lease.signal };
  const error = await failureOf({ ...run, context, rollout: { ...run.rollout, cluster } });
  expect(error).toBe(lost);
  expect((await run.helm.status(RELEASE))?.description).toBe(UNFINISHED);
});
