import { expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import { leasedCluster, leasedHelm } from '../../../src/deploy/leased.ts';
import { patientCluster } from '../../../src/deploy/patient-cluster.ts';
import { agent, clusterThat } from '../../support/fake-cluster.ts';
import { fakeHelm } from '../../support/fake-helm.ts';

const LOST = new ShipError('locked', 'release cilium: someone took our lock over');
const RELEASE = { name: 'cilium', namespace: 'kube-system', chart: 'x', values: [] };

/** A cluster that says what was asked of it. */
function telling() {
  const calls: string[] = [];
  const call = (name: string) => async (): Promise<never> => {
    calls.push(name);
    return undefined as never;
  };
  const names = ['pods', 'deletePod', 'labelNode', 'annotatePod', 'workload'] as const;
  const configs = ['applyConfigMap', 'applyNodeConfig', 'deleteNodeConfig'] as const;
  const parts = [...names, ...configs].map((name) => [name, call(name)] as const);
  return { calls, cluster: clusterThat(Object.fromEntries(parts)) };
}

test('F44: who lost the lease still looks, and changes nothing', async () => {
  const { calls, cluster } = telling();
  const held = leasedCluster(cluster, async () => {
    throw LOST;
  });
  await held.pods('n', '');
  await held.workload('n', 'DaemonSet', 'cilium');
  for (const change of [
    held.deletePod('n', agent('a')),
    held.labelNode('worker', {}),
    held.annotatePod('n', agent('a'), {}),
    held.applyConfigMap('n', 'x', {}),
    held.applyNodeConfig('n', 'v2', { name: 'x', profile: 'x', defaults: {} }),
    held.deleteNodeConfig('n', 'v2', 'x'),
  ]) {
    await expect(change).rejects.toBe(LOST);
  }
  expect(calls).toEqual(['pods', 'workload']);
});

test('F44: a change waits with all patience until it is known whose the lease is', async () => {
  const { calls, cluster } = telling();
  let tries = 0;
  const held = leasedCluster(cluster, async () => {
    tries += 1;
    if (tries < 3) throw new ShipError('network', 'no answer');
  });
  const { signal } = new AbortController();
  const patience = { timeout: 10_000, signal, mend: async () => undefined };
  await patientCluster(held, patience).deletePod('n', agent('a'));
  expect([tries, calls]).toEqual([3, ['deletePod']]);
});

test('F44: Helm of who lost the lease still looks, and changes nothing', async () => {
  const helm = fakeHelm();
  const held = leasedHelm(helm, async () => {
    throw LOST;
  });
  expect(await held.history(RELEASE)).toEqual([]);
  await expect(held.upgrade(RELEASE, 'x')).rejects.toBe(LOST);
  await expect(held.rollback(RELEASE, 1)).rejects.toBe(LOST);
  await expect(held.uninstall(RELEASE)).rejects.toBe(LOST);
  expect(helm.upgrades).toEqual([]);
});
