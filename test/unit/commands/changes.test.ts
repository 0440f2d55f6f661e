import { describe, expect, test } from 'vitest';
import { heldFields, requireTakenBack } from '../../../src/commands/shared/changes.ts';
import type { FieldConflict, HelmRelease } from '../../../src/deploy/cluster.ts';
import { testContext } from '../../support/context.ts';
import { clusterThat } from '../../support/fake-cluster.ts';
import { fakeHelm } from '../../support/fake-helm.ts';

const RELEASE: HelmRelease = { name: 'cilium', namespace: 'kube-system', chart: 'x', values: [] };
const UNDER_WAY: HelmRelease = { ...RELEASE, values: ['order'] };
const MTU: FieldConflict = {
  object: 'ConfigMap cilium-config',
  field: 'data.mtu',
  manager: 'Mozilla',
};
const STRATEGY: FieldConflict = {
  object: 'DaemonSet cilium',
  field: 'spec.updateStrategy.type',
  manager: 'argocd-controller',
};

/** A release of which others hold fields, as it is wanted and while agents are replaced. */
function rollout(onServer: boolean) {
  const asked: string[] = [];
  const conflicts = async (_: string, manifest: string): Promise<readonly FieldConflict[]> => {
    asked.push(manifest);
    return manifest === 'final' ? [MTU] : [MTU, STRATEGY];
  };
  const render = async ({ values }: HelmRelease): Promise<string> => values.join('');
  const helm = { ...fakeHelm(), render, appliesOnServer: async () => onServer };
  const cluster = clusterThat({ conflicts });
  return { asked, cluster, helm, release: RELEASE, underWay: UNDER_WAY, rendered: 'final' };
}

describe('fields at which Helm would stop', () => {
  test('are those of the release as it is wanted, and of the one that comes before it', async () => {
    const given = rollout(true);
    expect(await heldFields(given, true)).toEqual({ onServer: true, conflicts: [MTU, STRATEGY] });
    expect(given.asked.toSorted()).toEqual(['final', 'order']);
  });

  test('are those of the release alone where nothing comes before it', async () => {
    const given = rollout(true);
    expect(await heldFields(given, false)).toEqual({ onServer: true, conflicts: [MTU] });
    expect(given.asked).toEqual(['final']);
  });

  test('are none where Helm does not apply on the server, and nobody is asked', async () => {
    const given = rollout(false);
    expect(await heldFields(given, true)).toEqual({ onServer: false, conflicts: [] });
    expect(given.asked).toEqual([]);
  });
});

describe('a deploy', () => {
  const applied = { manifest: 'final', edits: ['ConfigMap cilium-config: data.mtu (Mozilla)'] };
  const held = { onServer: true, conflicts: [MTU, STRATEGY] };

  test('stops before it begins, and names object, field, manager and the way on', () => {
    const { context } = testContext('.');
    expect(() => requireTakenBack(context, applied, held)).toThrowError(
      expect.objectContaining({
        kind: 'config',
        details: [
          'ConfigMap cilium-config: data.mtu (Mozilla)',
          'DaemonSet cilium: spec.updateStrategy.type (argocd-controller)',
        ],
        hint: expect.stringContaining('ciliumship deploy --force-conflicts'),
      }),
    );
  });

  test('takes them back with --force-conflicts, and says each once', () => {
    const { context, lines } = testContext('.');
    const forced = { ...context, flags: { ...context.flags, forceConflicts: true } };
    requireTakenBack(forced, applied, held);
    expect(lines.map((line) => line.trim())).toEqual([
      'changed past Helm, is taken back: ConfigMap cilium-config: data.mtu (Mozilla)',
      'changed past Helm, is taken back: DaemonSet cilium: spec.updateStrategy.type (argocd-controller)',
    ]);
  });

  test('is not stopped by what Helm would not stop at', () => {
    const { context, lines } = testContext('.');
    const edits = ['Deployment cilium-operator: spec.replicas (kubectl scale)'];
    requireTakenBack(context, { ...applied, edits }, { onServer: true, conflicts: [] });
    expect(lines.join('')).toContain(`changed past Helm, is taken back: ${edits[0]}`);
  });
});
