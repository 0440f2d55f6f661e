import { describe, expect, test } from 'vitest';
import type { Run } from '../../../src/core/step.ts';
import type { NodeConfigObject, Workload } from '../../../src/deploy/cluster.ts';
import {
  labelStep,
  nodeConfigStep,
  readyStep,
  repairStep,
  rollbackStep,
  upgradeStep,
} from '../../../src/deploy/steps.ts';
import { clusterNode, clusterThat } from '../../support/fake-cluster.ts';
import { fakeHelm } from '../../support/fake-helm.ts';

const RUN: Run = { signal: new AbortController().signal, progress: () => undefined };
const NAMESPACE = 'kube-system';
const CHART = 'lab/cilium/install/kubernetes/cilium';

describe('waiting for a workload', () => {
  const READY: Workload = {
    kind: 'DaemonSet',
    name: 'cilium',
    observed: true,
    desired: 2,
    updated: 2,
    ready: 2,
  };

  /** The step over a workload that shows one state after the other, the last for ever. */
  function waiting(timeout: number, ...states: readonly (Workload | undefined)[]) {
    let looks = 0;
    const cluster = clusterThat({
      workload: async () => states[Math.min(looks++, states.length - 1)],
    });
    return readyStep(cluster, NAMESPACE, READY, timeout);
  }

  test('is over at once when it runs its newest template with every pod ready', async () => {
    expect(await waiting(0, READY).done?.(RUN)).toEqual(READY);
  });

  test.each([
    ['was not looked at by its controller', { observed: false }],
    ['has an older pod', { updated: 1 }],
    ['has a pod that is not ready', { ready: 1 }],
  ])('is not over while it %s', async (_, more) => {
    expect(await waiting(0, { ...READY, ...more }).done?.(RUN)).toBeUndefined();
  });

  test('lasts until it is ready', async () => {
    expect(await waiting(5000, undefined, READY).run(RUN)).toEqual(READY);
  });

  test('of no pods is over', async () => {
    const none = { ...READY, desired: 0, updated: 0, ready: 0 };
    expect(await waiting(0, none).done?.(RUN)).toEqual(none);
  });

  test.each([
    [{ ...READY, ready: 1 }, 'DaemonSet cilium: 1 of 2 pods ready'],
    [undefined, 'DaemonSet cilium: does not exist'],
  ])('ends with what there is when the time is over', async (state, message) => {
    await expect(waiting(0, state).run(RUN)).rejects.toMatchObject({ kind: 'deploy', message });
  });
});

describe('setting the devices of nodes', () => {
  const CONFIG: NodeConfigObject = { name: 'a', profile: 'a', defaults: { devices: 'eth0' } };
  const OTHER: NodeConfigObject = { name: 'b', profile: 'b', defaults: { devices: 'eth1' } };

  function setting(configs: readonly NodeConfigObject[], version?: 'v2', ours = true) {
    const found = configs.map((config) => ({ ...config, ours }));
    const applied: string[] = [];
    const cluster = clusterThat({
      nodeConfigVersion: async () => version,
      nodeConfigs: async () => found,
      applyNodeConfig: async (_, used, { name }) => void applied.push(`${used} ${name}`),
      deleteNodeConfig: async (_, used, name) => void applied.push(`${used} -${name}`),
    });
    return { applied, step: nodeConfigStep(cluster, NAMESPACE, [CONFIG, OTHER], 0) };
  }

  const OLD: NodeConfigObject = { name: 'old', profile: 'old', defaults: {} };

  test('takes away what we set once and the config does not ask for any more', async () => {
    const { applied, step } = setting([CONFIG, OTHER, OLD], 'v2');
    expect(await step.done?.(RUN)).toBeUndefined();
    await step.run(RUN);
    expect(applied).toEqual(['v2 -old']);
  });

  test('leaves the configs of others alone', async () => {
    expect(await setting([CONFIG, OTHER, OLD], 'v2', false).step.done?.(RUN)).toEqual(['a', 'b']);
  });

  test('applies only what differs', async () => {
    const { applied, step } = setting([CONFIG], 'v2');
    expect(await step.done?.(RUN)).toBeUndefined();
    await step.run(RUN);
    expect(applied).toEqual(['v2 b']);
  });

  test('is done when nothing differs', async () => {
    expect(await setting([CONFIG, OTHER], 'v2').step.done?.(RUN)).toEqual(['a', 'b']);
  });

  test('is not done, and is no failure, before the CRD is there', async () => {
    expect(await setting([]).step.done?.(RUN)).toBeUndefined();
  });

  test('says where to look when the operator never makes the CRD', async () => {
    const { applied, step } = setting([]);
    await expect(step.run(RUN)).rejects.toMatchObject({
      kind: 'deploy',
      hint: expect.stringContaining('logs deploy/cilium-operator'),
    });
    expect(applied).toEqual([]);
  });
});

test('a label step says what it sets and what it takes away', async () => {
  const changes: unknown[] = [];
  const cluster = clusterThat({ labelNode: async (...change) => void changes.push(change) });
  const labels = { 'hw-profile': 'a', 'ciliumship.io/hold': null };
  const step = labelStep(clusterNode('worker'), labels, cluster);
  expect(step.title).toBe('label worker: hw-profile=a ciliumship.io/hold-');
  expect(changes).toEqual([]);
  await step.run(RUN);
  expect(changes).toEqual([['worker', labels]]);
});

test('an upgrade step plans the very command, with the values files in their order', async () => {
  const release = {
    name: 'cilium',
    namespace: NAMESPACE,
    chart: './c',
    values: ['a.yaml', 'b.yaml'],
  };
  const step = upgradeStep({ upgrade: async () => 7 }, release, 'why');
  expect(step.plan?.()).toEqual([
    'helm upgrade --install cilium ./c -n kube-system -f a.yaml -f b.yaml --description "why"',
  ]);
  expect(await step.run(RUN)).toBe(7);
});

describe('going back', () => {
  const release = { name: 'cilium', namespace: NAMESPACE };

  test('names the revision, because Helm’s own choice may be one that failed', async () => {
    const helm = fakeHelm();
    await helm.upgrade({ ...release, chart: CHART, values: [] }, 'first');
    const step = rollbackStep(helm, release, 1);
    expect(step.plan?.()).toEqual(['helm rollback cilium 1 -n kube-system']);
    await step.run(RUN);
    expect(await helm.status(release)).toMatchObject({ revision: 2, description: 'Rollback to 1' });
  });

  test.each([
    [{ revision: 3 }, 'helm rollback cilium 3'],
    [{ uninstall: true } as const, 'helm uninstall cilium'],
  ])('frees a stuck release (%j)', (repair, title) => {
    expect(repairStep(fakeHelm(), release, repair).title).toBe(title);
  });
});
