import { expect, test } from 'vitest';
import { openRollout } from '../../../src/commands/shared/open-rollout.ts';
import { crashing } from '../../support/failing-rollout.ts';
import { clusterThat } from '../../support/fake-cluster.ts';
import { manifestOf, OLD } from '../../support/rolling-cluster.ts';

/** As an autoscaler holds it: a program of the cluster, whose fields are nobody's edits. */
const REPLICAS = {
  object: 'Deployment hubble-relay',
  field: 'spec.replicas',
  manager: 'kube-controller-manager',
};

/** A rollout of Helm 4 over a finished one, of which another program holds a field. */
async function heldRollout(
  wanted: 'the same' | 'other agents',
  flags: { readonly forceConflicts?: boolean; readonly dryRun?: boolean } = {},
) {
  const { context, rollout, lines } = await crashing(flags);
  const cluster = clusterThat({ ...rollout.cluster, conflicts: async () => [REPLICAS] });
  const helm = { ...rollout.helm, appliesOnServer: async () => true };
  const old = manifestOf(OLD, 'RollingUpdate');
  const rendered = wanted === 'the same' ? old : rollout.rendered;
  const applied = { manifest: old, edits: [] };
  const opening = openRollout(context, { ...rollout, cluster, helm, rendered, applied });
  return { opening, lines };
}

test.each([{}, { forceConflicts: true }])(
  'a deploy that changes nothing is not stopped by what others hold, nor says it takes it back: %j',
  async (flags) => {
    const { opening, lines } = await heldRollout('the same', flags);
    expect(await opening).toBeUndefined();
    expect(lines.join('')).not.toContain('taken back');
  },
);

test('one that Helm would stop at is refused before it begins', async () => {
  const { opening } = await heldRollout('other agents');
  await expect(opening).rejects.toMatchObject({
    kind: 'config',
    details: ['Deployment hubble-relay: spec.replicas (kube-controller-manager)'],
  });
});

test.each([
  [false, 'is taken back'],
  [true, 'would be taken back'],
])('with --force-conflicts Helm is told to take it (dry run: %s)', async (dryRun, said) => {
  const { opening, lines } = await heldRollout('other agents', { forceConflicts: true, dryRun });
  expect(await opening).toMatchObject({
    release: { forceConflicts: true },
    underWay: { forceConflicts: true },
  });
  expect(lines.join('')).toContain(`changed past Helm, ${said}: Deployment hubble-relay`);
});
