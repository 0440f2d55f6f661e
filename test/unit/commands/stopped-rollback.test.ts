import { expect, test } from 'vitest';
import { goBack } from '../../../src/commands/shared/go-back.ts';
import { usableRelease } from '../../../src/commands/shared/release.ts';
import { namingTheState, sayingWhatStays } from '../../../src/commands/shared/stopped-rollback.ts';
import { undoing } from '../../../src/commands/shared/undo.ts';
import {
  becomesByDeploy,
  becomesByRollback,
  unfinishedText,
  waysOn,
} from '../../../src/commands/shared/unfinished-text.ts';
import { rollOut } from '../../../src/commands/shared/roll-out.ts';
import { exitCode, ShipError } from '../../../src/core/errors.ts';
import type { Unfinished } from '../../../src/deploy/unfinished.ts';
import { crashing, FLEET, NEW, RELEASE } from '../../support/failing-rollout.ts';
import { clusterThat } from '../../support/fake-cluster.ts';

const BACK: Unfinished = {
  kind: 'rollback',
  back: { revision: 2, status: 'superseded', description: '' },
};
const FAILED: Unfinished = { kind: 'failed rollback', revision: 5 };
const ROLLOUT: Unfinished = { kind: 'rollout', revision: 3 };

test.each([
  [
    ROLLOUT,
    'the rollout of revision 3 was not finished',
    'finish it: ciliumship deploy, or undo it: ciliumship rollback',
  ],
  [
    BACK,
    'the rollback to revision 2 was not finished',
    'finish it: ciliumship rollback --to 2, or roll out what the config says: ciliumship deploy',
  ],
  [
    FAILED,
    'revision 5 is a rollback that Helm failed over',
    'try it again: ciliumship rollback, or roll out what the config says: ciliumship deploy',
  ],
])('who looks is told what was not finished, and what to type', (open, what, ways) => {
  expect(unfinishedText(open)).toBe(what);
  expect(waysOn(open)).toBe(ways);
});

test('deploy and rollback say what becomes of it', () => {
  expect(becomesByDeploy(ROLLOUT)).toBe('it is finished now');
  expect(becomesByDeploy(BACK)).toBe('this rollout takes its place');
  expect(becomesByRollback(ROLLOUT, undefined)).toBe('it is undone now');
  expect(becomesByRollback(BACK, undefined)).toBe('it is finished now');
  expect(becomesByRollback(BACK, 2)).toBe('it is finished now');
  expect(becomesByRollback(BACK, 4)).toBe('revision 4 comes instead');
  expect(becomesByRollback(FAILED, undefined)).toBe('it is tried again');
});

/** Two finished rollouts, and a rollback from the second that has not begun. */
async function twoRollouts() {
  const run = await crashing({}, true, NEW);
  await rollOut(run.context, FLEET, run.rollout);
  const { cluster, helm } = run.rollout;
  const way = { revision: 2, staged: 1 };
  const order = ['worker', 'master'];
  const to = { cluster, helm, release: RELEASE, way, order, stores: new Map() };
  return { ...run, to };
}

test('a rollback that fails ends with 10, the state, and the revision to type', async () => {
  const { context, rollout, to } = await twoRollouts();
  const pods: typeof to.cluster.pods = async (...asked) => {
    const found = await to.cluster.pods(...asked);
    return found.map((pod) => (pod.name === 'old-worker' ? { ...pod, ready: false } : pod));
  };
  const cluster = clusterThat({ ...to.cluster, pods });
  const ended = namingTheState(context, { ...rollout, cluster }, 2, () =>
    goBack(context, { ...to, cluster }),
  );
  const error = await ended.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ShipError)) throw new Error('it did not fail', { cause: error });
  expect(exitCode(error.kind)).toBe(10);
  expect(error.message).toBe(
    'worker: the new agent was not ready after 0.001 s: old-worker is not ready, 0 restarts; the rollback to revision 2 is not finished',
  );
  expect(error.details).toContain('now: revision 5 is deployed (Rollback to 1)');
  expect(error.details).toContain('now: master: new-master is ready, 0 restarts');
  expect(error.hint).toBe('mend it, then: ciliumship rollback --to 2');
});

test('one that is typed again says that it is finished now', async () => {
  const { context, rollout, lines } = await twoRollouts();
  const { helm } = rollout;
  await helm.rollback(RELEASE, 1);
  const usable = await usableRelease(context, rollout, (open) =>
    becomesByRollback(open, undefined),
  );
  expect(usable.open).toMatchObject({ kind: 'rollback', back: { revision: 2 } });
  expect(lines.join('')).toContain(
    'the rollback to revision 2 was not finished; it is finished now',
  );
});

test('one whose Helm was killed at its end is still that rollback when it was repaired', async () => {
  const { context, rollout, lines } = await twoRollouts();
  const { helm } = rollout;
  await helm.rollback(RELEASE, 1);
  await helm.rollback(RELEASE, 2);
  let killed = true;
  const history: typeof helm.history = async (release) => {
    const found = await helm.history(release);
    const newest = {
      ...found.at(-1)!,
      status: 'pending-rollback',
      updated: '2026-01-01T00:00:00Z',
    };
    return killed ? [...found.slice(0, -1), newest] : found;
  };
  const rollback: typeof helm.rollback = async (...to) => {
    killed = false;
    await helm.rollback(...to);
  };
  const on = { cluster: rollout.cluster, helm: { ...helm, history, rollback } };
  const repairing = { ...context, flags: { ...context.flags, repairRelease: true } };
  const usable = await usableRelease(repairing, on, (open) => becomesByRollback(open, undefined));
  expect((await helm.history(RELEASE)).at(-1)?.description).toBe('Rollback to 2');
  expect(usable.open).toMatchObject({ kind: 'rollback', back: { revision: 2 } });
  expect(lines.join('')).toContain(
    'the rollback to revision 2 was not finished; it is finished now',
  );
});

test('one that Helm was killed over is repaired by rollback, and not by deploy', async () => {
  const { context, rollout } = await twoRollouts();
  const { helm } = rollout;
  const history: typeof helm.history = async (release) => [
    ...(await helm.history(release)),
    { revision: 5, status: 'pending-rollback', description: 'Rollback to 1' },
  ];
  const on = { cluster: rollout.cluster, helm: { ...helm, history } };
  await expect(usableRelease(context, on, becomesByDeploy)).rejects.toMatchObject({
    hint: 'when no other Helm runs: ciliumship rollback --repair-release',
  });
});

test('one that is interrupted says how it goes on, and a planned one says nothing', async () => {
  const { context, lines } = await crashing();
  const stop = new AbortController();
  const interrupted = { ...context, signal: stop.signal };
  const act = async (): Promise<void> => {
    stop.abort(new ShipError('interrupted', 'interrupted'));
    throw stop.signal.reason;
  };
  const planned = { ...interrupted, flags: { ...context.flags, dryRun: true } };
  await expect(sayingWhatStays(planned, 2, act)).rejects.toThrow('interrupted');
  expect(lines.join('')).toBe('');
  await expect(sayingWhatStays(interrupted, 2, act)).rejects.toThrow('interrupted');
  expect(lines.join('')).toContain(
    'the rollback to revision 2 stays as far as it came: finish it with ciliumship rollback --to 2',
  );
});

test.each([
  [
    true,
    {},
    'the rollback to revision 2 stays as far as it came: finish it with ciliumship rollback --to 2',
  ],
  [true, { rollback: false }, 'run the same command again to finish it, or undo it with'],
  [false, {}, 'the first install stays as far as it came: run the same command again to finish it'],
])(
  'undoing that is interrupted says so too (installed: %s, flags: %o)',
  async (installed, flags, text) => {
    const run = await crashing(flags, installed);
    const stop = new AbortController();
    const context = { ...run.context, signal: stop.signal };
    const interrupt = new ShipError('interrupted', 'interrupted');
    const nodes = async () => {
      if (run.changes.some((change) => change.includes('null'))) stop.abort(interrupt);
      stop.signal.throwIfAborted();
      return run.rollout.cluster.nodes();
    };
    const cluster = clusterThat({ ...run.rollout.cluster, nodes });
    const rollout = { ...run.rollout, cluster };
    const ended = undoing(context, FLEET, rollout, () => rollOut(context, FLEET, rollout));
    await expect(ended).rejects.toThrow(/aborted|interrupted/);
    expect(run.lines.join('')).toContain(text);
  },
);
