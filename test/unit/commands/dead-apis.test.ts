import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../src/cluster/cni/manifest.ts';
import { deadApis } from '../../../src/commands/shared/dead-apis.ts';

const METRICS = 'v1beta1.metrics.k8s.io';
const ANTREA = 'v1beta2.controlplane.antrea.io';

/** A cluster of which every API but one is dead, with a namespace that waits for them. */
function cluster(stuck: string) {
  const apis = new Map([METRICS, ANTREA].map((name) => [name, apiOf(name)]));
  const applied: KubeObject[] = [];
  const own = {
    apiServices: async () =>
      [...apis.keys()].map((name) => ({ name, available: name === 'v1.apps', reason: '' })),
    namespaces: async () => [{ name: stuck, terminating: true, stuck: 'discovery failed' }],
    readObject: async ({ metadata }: KubeObject) => apis.get(metadata.name),
    hasObject: async ({ metadata }: KubeObject) => apis.has(metadata.name),
    isApplied: async () => false,
    applyObject: async (object: KubeObject) => {
      applied.push(object);
      apis.set(object.metadata.name, object);
    },
    deleteObject: async ({ metadata }: KubeObject) => void apis.delete(metadata.name),
  };
  apis.set('v1.apps', apiOf('v1.apps'));
  return { ...own, apis, applied };
}

function apiOf(name: string): KubeObject {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name },
    spec: { service: { name: 'mine', namespace: 'default' } },
  };
}

describe('E7: APIs that nobody answers for', () => {
  test('stay when it is a namespace of somebody else that waits for them', async () => {
    const own = cluster('my-shop');
    await using apis = deadApis(
      own,
      () => own,
      () => undefined,
    );
    await apis.free('cilium-secrets');
    expect(own.apis.size).toBe(3);
  });

  test('go while a namespace of the CNI waits, and those of others come back as they were', async () => {
    const own = cluster('cilium-secrets');
    const notes: string[] = [];
    const during = await (async () => {
      await using apis = deadApis(
        own,
        () => own,
        (text) => notes.push(text),
      );
      await apis.free('cilium-secrets');
      return [...own.apis.keys()];
    })();
    expect(during).toEqual(['v1.apps']);
    expect(own.applied).toEqual([apiOf(METRICS)]);
    expect([...own.apis.keys()]).not.toContain(ANTREA);
    expect(notes).toEqual([expect.stringContaining(`${METRICS} is back`)]);
  });

  test('come back also when what was done meanwhile failed, by a cluster that still answers', async () => {
    const own = cluster('cilium-secrets');
    const failing = async (): Promise<void> => {
      await using apis = deadApis(
        own,
        () => own,
        () => undefined,
      );
      for (const step of await apis.steps()) {
        await step.run({ signal: AbortSignal.timeout(1000), progress: () => undefined });
      }
      throw new Error('Ctrl-C');
    };
    await expect(failing()).rejects.toThrow('Ctrl-C');
    expect([...own.apis.keys()].toSorted()).toEqual(['v1.apps', METRICS]);
  });

  test('that somebody brought back meanwhile are theirs, and one that cannot be put back is named', async () => {
    const own = cluster('cilium-secrets');
    const notes: string[] = [];
    const refusing = {
      ...own,
      hasObject: async () => false,
      applyObject: () => Promise.reject(new Error('refused')),
    };
    {
      await using apis = deadApis(
        own,
        () => own,
        (text) => notes.push(text),
      );
      await apis.free('cilium-secrets');
      own.apis.set(METRICS, apiOf(METRICS));
    }
    expect(own.applied).toEqual([]);
    {
      await using apis = deadApis(
        own,
        () => refusing,
        (text) => notes.push(text),
      );
      await apis.free('cilium-secrets');
    }
    expect(notes.at(-1)).toContain(`${METRICS} could not be put back: refused`);
  });
});
