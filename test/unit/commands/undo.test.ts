import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCode, ShipError } from '../../../src/core/errors.ts';
import { FINISHED, UNFINISHED } from '../../../src/deploy/descriptions.ts';
import { crashing, failureOf, RELEASE } from '../../support/failing-rollout.ts';
import { clusterThat } from '../../support/fake-cluster.ts';

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
  expect(run.lines.join('')).toContain('run the same command again to finish it, or undo it with');
});
