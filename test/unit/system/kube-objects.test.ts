import type { V1NodeSystemInfo } from '@kubernetes/client-node';
import { describe, expect, test } from 'vitest';
import { toDaemonSet, toDeployment, toNode, toPod } from '../../../src/system/kube/objects.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('a Deployment', () => {
  const deployment = (status: object) =>
    toDeployment({
      metadata: { name: 'cilium-operator', generation: 2 },
      spec: { replicas: 1, selector: {}, template: {} },
      status: { observedGeneration: 2, ...status },
    });

  test('counts the new pod that is ready', () => {
    const status = { replicas: 1, updatedReplicas: 1, readyReplicas: 1 };
    expect(deployment(status)).toMatchObject({ desired: 1, updated: 1, ready: 1 });
  });

  test('does not take an old ready pod for the new one that is not', () => {
    const status = { replicas: 2, updatedReplicas: 1, readyReplicas: 1 };
    expect(deployment(status)).toMatchObject({ desired: 1, updated: 1, ready: 0 });
  });

  test('was not observed while its controller looks at an older generation', () => {
    expect(deployment({ observedGeneration: 1 }).observed).toBe(false);
  });

  test('without a status is not ready', () => {
    expect(toDeployment({ metadata: { name: 'x', generation: 1 } })).toMatchObject({
      observed: false,
      desired: 1,
      ready: 0,
    });
  });
});

describe('a node', () => {
  test('says which machine it is, and which boot of it', () => {
    const nodeInfo = { bootID: 'boot 1', machineID: 'machine 1' } as V1NodeSystemInfo;
    expect(toNode({ status: { nodeInfo } })).toMatchObject({
      bootId: 'boot 1',
      machineId: 'machine 1',
    });
  });

  test('without a kubelet that said so has neither', () => {
    expect(toNode({})).toMatchObject({ bootId: '', machineId: '', ready: false });
  });
});

test('a DaemonSet counts its pods', () => {
  const status = {
    currentNumberScheduled: 2,
    desiredNumberScheduled: 2,
    numberMisscheduled: 0,
    numberReady: 1,
    observedGeneration: 3,
    updatedNumberScheduled: 2,
  };
  expect(toDaemonSet({ metadata: { name: 'cilium', generation: 3 }, status })).toEqual({
    kind: 'DaemonSet',
    name: 'cilium',
    observed: true,
    desired: 2,
    updated: 2,
    ready: 1,
  });
});

describe('a pod', () => {
  const container = (more: object) => ({
    name: 'cilium-agent',
    image: 'old',
    imageID: '',
    ready: false,
    restartCount: 2,
    ...more,
  });
  const podWith = (more: object) =>
    toPod({
      metadata: { name: 'cilium-1', uid: 'u1' },
      spec: { nodeName: 'worker', containers: [{ name: 'cilium-agent', image: 'cilium:dev-1' }] },
      status: { containerStatuses: [container(more)] },
    });

  test.each([DIGEST, `docker.io/library/import@${DIGEST}`, `docker-pullable://x@${DIGEST}`])(
    'runs the config digest that its status holds as %s',
    (imageID) => {
      expect(podWith({ imageID }).containers[0]?.imageId).toBe(DIGEST);
    },
  );

  test('runs nothing while its status names no image', () => {
    expect(podWith({}).containers[0]?.imageId).toBeUndefined();
  });

  test('names the image of its spec, not the one that the runtime chose to show', () => {
    expect(podWith({}).containers[0]?.image).toBe('cilium:dev-1');
  });

  test.each([
    ['CrashLoopBackOff', 'CrashLoopBackOff'],
    ['ContainerCreating', undefined],
    ['PodInitializing', undefined],
  ])('that waits for %s says %s', (reason, said) => {
    expect(podWith({ state: { waiting: { reason } } }).containers[0]?.waiting).toBe(said);
  });

  test('ends as soon as it has a time of deletion', () => {
    expect(toPod({ metadata: { deletionTimestamp: new Date() } }).deleting).toBe(true);
    expect(toPod({}).deleting).toBe(false);
  });
});
