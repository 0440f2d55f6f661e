import { expect, test } from 'vitest';
import {
  readKnownSettings,
  recordNodes,
  recordNodesBefore,
} from '../../../src/commands/shared/node-record.ts';
import { goBack } from '../../../src/commands/shared/go-back.ts';
import { restoreNodes } from '../../../src/commands/shared/restore-nodes.ts';
import { ShipError } from '../../../src/core/errors.ts';
import type { ClusterNode, HelmStatus, NodeConfigObject } from '../../../src/deploy/cluster.ts';
import { FINISHED, UNFINISHED } from '../../../src/deploy/descriptions.ts';
import { nodesBefore } from '../../../src/deploy/node-record.ts';
import { testContext } from '../../support/context.ts';
import { crashing, failureOf, RELEASE } from '../../support/failing-rollout.ts';
import { clusterNode, clusterThat } from '../../support/fake-cluster.ts';
import { testFolder } from '../../support/folder.ts';
import { OLD } from '../../support/rolling-cluster.ts';

const LABEL = 'hw-profile';
const RECORD = 'ciliumship-cilium-nodes';
const FINISHED_ONE = { revision: 2, status: 'deployed', description: FINISHED };

/** A cluster of one worker whose labels, CiliumNodeConfigs and ConfigMaps can be changed. */
function workerWith(profile: string, devices: string) {
  let node: ClusterNode = clusterNode('worker', { labels: { [LABEL]: profile } });
  const configs = new Map<string, NodeConfigObject>();
  const maps = new Map<string, Readonly<Record<string, string>>>();
  const tell = (name: string, listed: string): void =>
    void configs.set(name, { name, profile: name, defaults: { devices: listed } });
  tell(profile, devices);
  const cluster = clusterThat({
    nodes: async () => [node],
    nodeConfigVersion: async () => 'v2',
    nodeConfigs: async () => [...configs.values()].map((config) => ({ ...config, ours: true })),
    applyNodeConfig: async (_, __, config) => void configs.set(config.name, config),
    deleteNodeConfig: async (_, __, name) => void configs.delete(name),
    configMap: async (_, name) => maps.get(name),
    applyConfigMap: async (_, name, data) => void maps.set(name, data),
    labelNode: async (_, labels) => {
      node = { ...node, labels: { ...node.labels, ...(labels as Record<string, string>) } };
    },
  });
  const told = (): readonly string[] => [
    node.labels[LABEL] ?? 'none',
    ...[...configs.values()].map(({ name, defaults }) => `${name}: ${defaults['devices']}`),
  ];
  return { cluster, maps, tell, told };
}

function revision(number: number, description: string = FINISHED): HelmStatus {
  return { revision: number, status: 'deployed', description };
}

test('a rollback gives back the profile and devices of its revision, and takes away what came since', async () => {
  const { context } = testContext(testFolder());
  const { cluster, tell, told } = workerWith('old', 'eth1');
  await recordNodes(cluster, RELEASE, [revision(2)]);
  await cluster.labelNode('worker', { [LABEL]: 'new' });
  tell('new', 'eth1 em2');
  tell('old', 'eth9');
  const had = (await readKnownSettings(cluster, RELEASE)).at(revision(2));
  const before = nodesBefore(had!, await cluster.nodes(), await cluster.nodeConfigs('', 'v2'));
  const place = { cluster, namespace: RELEASE.namespace };
  const planning = { ...context, flags: { ...context.flags, dryRun: true } };
  await restoreNodes(planning, place, before, [LABEL]);
  expect(told()).toEqual(['new', 'old: eth9', 'new: eth1 em2']);
  await restoreNodes(context, place, before, [LABEL]);
  expect(told()).toEqual(['old', 'old: eth1']);
});

test.each([
  ['an unfinished rollout', [revision(2), revision(3, UNFINISHED)]],
  ['what failed', [revision(2), { ...revision(3), status: 'failed' }]],
  ['no release', []],
])(
  'nothing is recorded of %s: its nodes are half one thing and half another',
  async (_, history) => {
    const { cluster, maps } = workerWith('w', 'eth1');
    await recordNodes(cluster, RELEASE, history);
    expect(maps.size).toBe(0);
  },
);

test('what nodes are told at a revision is written once: what was changed since belongs to none', async () => {
  const { cluster, maps, tell } = workerWith('w', 'eth1');
  await recordNodes(cluster, RELEASE, [revision(2)]);
  const written = maps.get(RECORD);
  tell('w', 'eth9');
  await recordNodes(cluster, RELEASE, [revision(2)]);
  expect(written).toBeDefined();
  expect(maps.get(RECORD)).toBe(written);
});

test('a revision that was brought back over an unfinished rollout is recorded as it was, not as that one told', async () => {
  const { cluster, tell } = workerWith('w', 'eth1');
  const history = [revision(2), { ...revision(3, 'Preparing upgrade'), status: 'pending-upgrade' }];
  await recordNodes(cluster, RELEASE, [revision(2)]);
  tell('w', 'eth1 em2');
  const repaired = revision(4, 'Rollback to 2');
  await recordNodes(cluster, RELEASE, [...history, repaired]);
  const { at, now } = await readKnownSettings(cluster, RELEASE);
  expect(at(repaired)?.configs).toEqual([deviceConfig('eth1')]);
  expect(now.configs).toEqual([deviceConfig('eth1 em2')]);
});

test('one that somebody brought back over a finished rollout is recorded as nodes are told since', async () => {
  const { cluster, tell } = workerWith('w', 'eth1');
  await recordNodes(cluster, RELEASE, [revision(2)]);
  tell('w', 'eth1 em2');
  const back = revision(5, 'Rollback to 2');
  await recordNodes(cluster, RELEASE, [revision(2), revision(4), back]);
  const { at } = await readKnownSettings(cluster, RELEASE);
  expect(at(back)?.configs).toEqual([deviceConfig('eth1 em2')]);
});

test('a rollout records what nodes were told before it changes anything, even when it fails', async () => {
  const run = await crashing();
  await failureOf(run);
  const data = await run.rollout.cluster.configMap(RELEASE.namespace, RECORD);
  expect(Object.keys(data ?? {})).toEqual(['revision-2']);
});

test('without the right to record them the rollout goes on, and it is said what that means', async () => {
  const { context, lines } = testContext(testFolder());
  const { cluster } = workerWith('w', 'eth1');
  const refuse = (kind: 'identity' | 'network') => async (): Promise<void> => {
    throw new ShipError(kind, 'the API server refuses ConfigMaps');
  };
  const forbidden = clusterThat({ ...cluster, applyConfigMap: refuse('identity') });
  await recordNodesBefore(context, forbidden, RELEASE, [FINISHED_ONE]);
  expect(lines.join('')).toContain('no rollback will know the devices of the nodes');
  const away = clusterThat({ ...cluster, applyConfigMap: refuse('network') });
  const recording = recordNodesBefore(context, away, RELEASE, [FINISHED_ONE]);
  await expect(recording).rejects.toThrow('the API server refuses ConfigMaps');
});

test.each([
  ['an agent that would be told nothing else is not replaced', 'none', []],
  ['nor left alone when its devices go back', 'eth1', ['master', 'worker']],
])('in a dry run of a way back %s', async (_, devices, replaced) => {
  const run = await crashing({ dryRun: true });
  const { cluster, helm, order, stores } = run.rollout;
  const manifest = async (): Promise<string> =>
    'kind: DaemonSet\nmetadata: { name: cilium }\nspec: { template: {} }\n';
  const currentHash = async (): Promise<string> => OLD;
  const told = {
    nodes: order.map((name) => clusterNode(name, { labels: { [LABEL]: 'w' } })),
    configs: devices === 'none' ? [] : [{ ...deviceConfig(devices), ours: true }],
  };
  await goBack(run.context, {
    cluster: clusterThat({ ...cluster, currentHash }),
    helm: { ...helm, manifest },
    release: RELEASE,
    way: { revision: 2, staged: 1 },
    ...{ order, stores, planned: told },
  });
  const planned = run.lines.join('').matchAll(/\(the agent on (\w+)\)/g);
  expect([...planned].map(([, node = '']) => node).toSorted((a, b) => a.localeCompare(b))).toEqual(
    replaced,
  );
});

function deviceConfig(devices: string): NodeConfigObject {
  return { name: 'w', profile: 'w', defaults: { devices } };
}
