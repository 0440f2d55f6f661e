import { expect, test } from 'vitest';
import { goBack } from '../../../src/commands/shared/go-back.ts';
import { noteFreeOrder } from '../../../src/commands/shared/hold-order.ts';
import { exitCode, ShipError } from '../../../src/core/errors.ts';
import type { Cluster, Helm, Pod } from '../../../src/deploy/cluster.ts';
import { backTo, FINISHED, UNFINISHED } from '../../../src/deploy/descriptions.ts';
import { leavesOrder } from '../../../src/deploy/manifest.ts';
import { clusterThat, container } from '../../support/fake-cluster.ts';
import {
  crashing,
  failureOf,
  NEW,
  RELEASE,
  type Revisions,
} from '../../support/failing-rollout.ts';

const BY_THEIR_HELM: Revisions = [['Install complete', 'RollingUpdate']];
const BY_CHART: Revisions = [
  [UNFINISHED, 'RollingUpdate'],
  [FINISHED, 'RollingUpdate'],
];
/** All that deletes agents, when the second node fails and both go back. */
const ONE_BY_ONE = [
  'delete old-worker',
  'delete old-master',
  'delete new-master',
  'delete new-worker',
];

type Failing = Awaited<ReturnType<typeof crashing>>;

function deletesIn({ changes }: Failing): readonly string[] {
  return changes.filter((change) => change.includes('delete'));
}

async function descriptionsIn({ helm }: Failing): Promise<readonly string[]> {
  return (await helm.history(RELEASE)).map(({ description }) => description);
}

/** A rollout whose first node gets a good agent and whose second one does not. */
async function secondFails(before: Revisions): Promise<Failing> {
  const run = await crashing({}, before, NEW);
  const own = run.rollout.cluster;
  const crashed = container({ waiting: 'CrashLoopBackOff', restarts: 3 });
  const shown = (pod: Pod): Pod =>
    pod.name === 'new-master' ? { ...pod, ready: false, containers: [crashed] } : pod;
  const pods: Cluster['pods'] = async (...of) => (await own.pods(...of)).map(shown);
  return { ...run, rollout: { ...run.rollout, cluster: clusterThat({ ...own, pods }) } };
}

test.each([
  ['someone’s own Helm made', BY_THEIR_HELM],
  ['--strategy chart made', BY_CHART],
])('F40: agents go back one by one to a revision that %s', async (_, before) => {
  const run = await secondFails(before);
  const error = await failureOf(run);
  expect(exitCode(error.kind), error.message).toBe(9);
  expect(deletesIn(run)).toEqual(ONE_BY_ONE);
  const target = before.length;
  expect((await descriptionsIn(run)).slice(target)).toEqual([
    UNFINISHED,
    backTo(target),
    `Rollback to ${target}`,
  ]);
  // The order is the DaemonSet's again, as it was.
  expect(await run.helm.manifest(RELEASE)).toBe(await run.helm.manifest(RELEASE, target));
  expect(run.lines.join('')).toContain(
    `revision ${target} lets its DaemonSet choose which agents are replaced`,
  );
});

test('F40: a revision that leaves the order to us needs no other before it', async () => {
  const run = await secondFails([['Install complete', 'OnDelete']]);
  expect(exitCode((await failureOf(run)).kind)).toBe(9);
  expect(deletesIn(run)).toEqual(ONE_BY_ONE);
  expect((await descriptionsIn(run)).slice(1)).toEqual([UNFINISHED, 'Rollback to 1']);
});

/** A Helm that is killed over its upgrade of this description, and upgrades nothing that is pending. */
function killedOver(killing: string, helm: Helm): Helm {
  let pending = 0;
  const history: Helm['history'] = async (release) =>
    (await helm.history(release)).map((entry) =>
      entry.revision === pending ? { ...entry, status: 'pending-upgrade' } : entry,
    );
  const upgrade: Helm['upgrade'] = async (release, description) => {
    const newest = (await history(release)).at(-1);
    if (newest?.status === 'pending-upgrade') throw new ShipError('deploy', 'another operation');
    const made = await helm.upgrade(release, description);
    if (description !== killing) return made;
    pending = made;
    throw new ShipError('deploy', 'helm upgrade was ended by a signal', { retryable: true });
  };
  return { ...helm, history, upgrade };
}

test('F38: a release that a killed Helm left pending is held before agents go back one by one', async () => {
  const run = await crashing({}, BY_THEIR_HELM, NEW);
  const helm = killedOver(FINISHED, run.helm);
  const error = await failureOf({ ...run, rollout: { ...run.rollout, helm } });
  expect(exitCode(error.kind), error.message).toBe(9);
  expect(deletesIn(run).slice(2)).toEqual(['delete new-master', 'delete new-worker']);
  expect((await descriptionsIn(run)).slice(2)).toEqual([
    FINISHED,
    'Rollback to 2',
    backTo(1),
    'Rollback to 1',
  ]);
});

test('F38: where nothing is held, the DaemonSet alone replaces agents, and it is said', async () => {
  const run = await crashing({ strategy: 'chart' }, BY_THEIR_HELM, NEW);
  const helm = killedOver(UNFINISHED, run.helm);
  // Its controller comes to it before the way back does.
  const history: Helm['history'] = async (release) => {
    await run.rollout.cluster.pods(RELEASE.namespace, 'k8s-app=cilium');
    return helm.history(release);
  };
  const error = await failureOf({
    ...run,
    rollout: { ...run.rollout, helm: { ...helm, history } },
  });
  expect(exitCode(error.kind), error.message).toBe(9);
  expect(deletesIn(run)).toHaveLength(4);
  expect(deletesIn(run).every((change) => change.startsWith('the controller'))).toBe(true);
  expect(run.lines.join('')).toContain('Helm was killed over a rollout of that kind');
});

test('a way back that is only planned says what it would apply', async () => {
  const run = await crashing({ dryRun: true }, BY_THEIR_HELM, NEW);
  const { cluster, helm, order, stores } = run.rollout;
  const way = { revision: 1, staged: undefined };
  await goBack(run.context, { cluster, helm, release: RELEASE, way, order, stores });
  const text = run.lines.join('');
  expect(text).toContain('helm upgrade cilium (what revision 1 applied, with OnDelete)');
  expect(text).toContain('helm rollback cilium 1 -n kube-system');
  expect(await descriptionsIn(run)).toEqual(['Install complete']);
  expect(leavesOrder('cilium', (await helm.manifest(RELEASE)) ?? '')).toBe(false);
});

test.each([
  ['OnDelete', false],
  ['RollingUpdate', true],
] as const)(
  'a repair by a revision with %s says who replaces agents (%s)',
  async (strategy, said) => {
    const { context, lines, helm } = await crashing({}, [['Install complete', strategy]]);
    await noteFreeOrder(context, { helm, release: RELEASE }, { revision: 1 });
    expect(lines.join('').includes('lets its DaemonSet choose')).toBe(said);
  },
);
