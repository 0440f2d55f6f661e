import { describe, expect, test } from 'vitest';
import type { HelmStatus } from '../../../src/deploy/cluster.ts';
import { FINISHED, UNFINISHED } from '../../../src/deploy/descriptions.ts';
import { neededReferences } from '../../../src/deploy/needed.ts';

const RELEASE = { name: 'cilium', namespace: 'kube-system', chart: '/chart', values: [] };

function manifestOf(image: string): string {
  const template = { spec: { containers: [{ image }] } };
  return JSON.stringify({ kind: 'DaemonSet', metadata: { name: 'cilium' }, spec: { template } });
}

async function needed(...revisions: readonly (readonly [description: string, image: string])[]) {
  const history = revisions.map(([description], at): HelmStatus => ({
    revision: at + 1,
    status: 'superseded',
    description,
  }));
  return neededReferences(
    {
      history: async () => history,
      manifest: async (_, revision = 0) => manifestOf(revisions[revision - 1]?.[1] ?? ''),
    },
    RELEASE,
  );
}

describe('what a release needs', () => {
  test('is its images, and those of the last finished rollout with other ones', async () => {
    const found = await needed(
      [FINISHED, 'a:1'],
      [UNFINISHED, 'a:2'],
      [FINISHED, 'a:2'],
      [UNFINISHED, 'a:3'],
      [FINISHED, 'a:3'],
    );
    expect(found).toEqual({ release: ['a:3'], wayBack: ['a:2'] });
  });

  test('is never a rollout that was not finished', async () => {
    const found = await needed([FINISHED, 'a:1'], [UNFINISHED, 'a:2'], [UNFINISHED, 'a:3']);
    expect(found).toEqual({ release: ['a:3'], wayBack: ['a:1'] });
  });

  test('is nothing before the first install', async () => {
    expect(await needed()).toEqual({ release: [], wayBack: [] });
  });
});
