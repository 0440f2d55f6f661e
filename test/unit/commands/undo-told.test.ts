import { expect, test } from 'vitest';
import { exitCode, ShipError } from '../../../src/core/errors.ts';
import type { Node } from '../../../src/core/node.ts';
import type { Cluster, NodeConfigObject } from '../../../src/deploy/cluster.ts';
import { configNode, clusterThat } from '../../support/fake-cluster.ts';
import { crashing, failureOf, RELEASE } from '../../support/failing-rollout.ts';

/** A CiliumNodeConfig of somebody else. */
const THEIRS = { name: 'theirs', profile: 'mine', defaults: { devices: 'eth7' }, ours: false };

/** Nodes whose worker was told `old` by the finished revision 2, and whose config says `new`. */
async function workerOf(more: Partial<Cluster> = {}) {
  const run = await crashing();
  const configs = new Map<string, NodeConfigObject>();
  const tell = (profile: string, devices: string): void =>
    void configs.set(profile, { name: profile, profile, defaults: { devices } });
  tell('old', 'eth1');
  const cluster = clusterThat({
    ...run.rollout.cluster,
    nodeConfigVersion: async () => 'v2',
    nodeConfigs: async () => [
      THEIRS,
      ...[...configs.values()].map((config) => ({ ...config, ours: true })),
    ],
    applyNodeConfig: async (_, __, { name, defaults }) => tell(name, defaults['devices'] ?? ''),
    deleteNodeConfig: async (_, __, name) => void configs.delete(name),
    ...more,
  });
  await cluster.labelNode('worker', { 'hw-profile': 'old' });
  const worker = configNode('worker', { profile: 'new', devices: ['eth1', 'em2'] });
  const master = configNode('master', { role: 'server' });
  /** The same deploy once more; ended by `signal` as soon as the canary's agent is deleted. */
  const deploy = async (killed?: AbortController, nodes: readonly Node[] = [master, worker]) => {
    const context = { ...run.context, config: { ...run.context.config, nodes } };
    const deletePod: Cluster['deletePod'] = async (...of) => {
      await cluster.deletePod(...of);
      killed?.abort(new ShipError('interrupted', 'killed'));
    };
    const rollout = {
      ...run.rollout,
      cluster: clusterThat({ ...cluster, deletePod }),
      candidates: await cluster.nodes(),
      history: await run.helm.history(RELEASE),
    };
    const signal = killed?.signal ?? context.signal;
    return failureOf({ ...run, context: { ...context, signal }, rollout });
  };
  const told = async (): Promise<readonly string[]> => [
    ...(await cluster.nodes()).map(({ name, labels }) => `${name}: ${labels['hw-profile']}`),
    ...[...configs.values()].map(({ name, defaults }) => `${name}: ${defaults['devices']}`),
  ];
  return { cluster, deploy, told, changes: run.changes };
}

const AS_OF_REVISION_2 = ['master: undefined', 'worker: old', 'old: eth1'];

test('F40: what a finished revision told its nodes is restored, after a rollout of other devices that was killed', async () => {
  const { deploy, told } = await workerOf();
  await deploy(new AbortController());
  expect(await told()).toEqual(['master: undefined', 'worker: new', 'new: eth1 em2']);
  const error = await deploy();
  expect(exitCode(error.kind), error.message).toBe(9);
  expect(error.details).toContain('revision 2 runs again on every node');
  expect(await told()).toEqual(AS_OF_REVISION_2);
});

test('F40: a label that somebody set since the last rollout stays: nothing unfinished came after it', async () => {
  const written = JSON.stringify({
    made: '',
    profiles: { master: null, worker: 'old' },
    configs: [{ name: 'old', profile: 'old', defaults: { devices: 'eth1' } }],
  });
  const { cluster, deploy, told } = await workerOf({
    configMap: async () => ({ 'revision-2': written }),
  });
  await cluster.labelNode('master', { 'hw-profile': 'mine' });
  expect(exitCode((await deploy()).kind)).toBe(9);
  expect(await told()).toEqual(['master: mine', 'worker: old', 'old: eth1']);
});

test('F40: where nothing was written down of it, nodes get back what they were told at the start', async () => {
  const configMap = async (): Promise<never> => {
    throw new ShipError('identity', 'the API server refuses ConfigMaps');
  };
  const { deploy, told } = await workerOf({ configMap });
  expect(exitCode((await deploy()).kind)).toBe(9);
  expect(await told()).toEqual(AS_OF_REVISION_2);
});

test('F40: a node that joined since keeps the profile that it had at the start', async () => {
  // Of the worker nobody wrote anything down.
  const written = JSON.stringify({ made: '', profiles: { master: null }, configs: [] });
  const { deploy, told } = await workerOf({ configMap: async () => ({ 'revision-2': written }) });
  await deploy(new AbortController());
  expect(exitCode((await deploy()).kind)).toBe(9);
  expect(await told()).toEqual(['master: undefined', 'worker: new', 'new: eth1 em2']);
});

test('F40: a node that no rollout labels keeps the label that somebody gave it, and its agent, after a rollout that was killed', async () => {
  const { deploy, told, cluster, changes } = await workerOf();
  await deploy(new AbortController());
  await cluster.labelNode('master', { 'hw-profile': 'mine' });
  changes.splice(0);
  expect(exitCode((await deploy()).kind)).toBe(9);
  expect(await told()).toEqual(['master: mine', 'worker: old', 'old: eth1']);
  expect(changes.filter((change) => change.includes('master'))).toEqual([]);
});

test('F40: a profile that only a rollout that was killed gave is taken back, though the config has lost it', async () => {
  const { deploy, told } = await workerOf();
  await deploy(new AbortController());
  const bare = [configNode('master', { role: 'server' }), configNode('worker')];
  expect(exitCode((await deploy(undefined, bare)).kind)).toBe(9);
  expect(await told()).toEqual(AS_OF_REVISION_2);
});
