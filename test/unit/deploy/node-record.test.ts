import { describe, expect, test } from 'vitest';
import type { FoundNodeConfig, HelmStatus } from '../../../src/deploy/cluster.ts';
import {
  asTold,
  nodesBefore,
  nodeSettings,
  sameSettings,
  settingsAt,
  withSettings,
} from '../../../src/deploy/node-record.ts';
import { clusterNode, configNode } from '../../support/fake-cluster.ts';

const LABEL = 'hw-profile';
const MASTER = clusterNode('master', { labels: { [LABEL]: 'm', zone: 'a' } });
const WORKER = clusterNode('worker', { labels: { [LABEL]: 'w' } });
const PLAIN = clusterNode('plain');

function config(profile: string, devices: string, ours = true): FoundNodeConfig {
  return { name: profile, profile, defaults: { devices, 'set-by-others': 'x' }, ours };
}

function revision(number: number, updated = '2026-11-29T20:00:00.5Z'): HelmStatus {
  return { revision: number, status: 'deployed', description: '', updated };
}

const FOUND = [config('w', 'eth1'), config('m', 'eth0'), config('others', 'eth9', false)];
const SETTINGS = nodeSettings([MASTER, WORKER, PLAIN], FOUND);

describe('what nodes are told at a revision', () => {
  test('is the profile of each and what of the CiliumNodeConfigs is ours', () => {
    expect(SETTINGS).toEqual({
      profiles: { master: 'm', worker: 'w', plain: null },
      configs: [
        { name: 'm', profile: 'm', defaults: { devices: 'eth0' } },
        { name: 'w', profile: 'w', defaults: { devices: 'eth1' } },
      ],
    });
  });

  test('is read as it was written, however Helm writes the time', () => {
    const data = withSettings(undefined, revision(4), SETTINGS);
    expect(settingsAt(data, revision(4))).toEqual(SETTINGS);
    expect(settingsAt(data, revision(4, '2026-11-29T21:00:00.500000001+01:00'))).toEqual(SETTINGS);
  });

  test('is not that of a release of the same name which was removed since', () => {
    const data = withSettings(undefined, revision(4), SETTINGS);
    const anew = revision(4, '2026-11-30T08:00:00Z');
    expect(settingsAt(data, anew)).toBeUndefined();
    const other = nodeSettings([PLAIN], []);
    expect(settingsAt(withSettings(data, anew, other), anew)).toEqual(other);
    expect(Object.keys(withSettings(data, revision(2, ''), other))).toEqual(['revision-2']);
  });

  test('is kept for twice as many revisions as Helm keeps', () => {
    let data: Readonly<Record<string, string>> | undefined;
    for (let number = 1; number <= 30; number += 1) {
      data = withSettings(data, revision(number), SETTINGS);
    }
    const kept = Object.keys(data ?? {});
    expect(kept).toHaveLength(20);
    expect(kept).toContain('revision-11');
    expect(kept).not.toContain('revision-10');
  });

  test.each(['', '{', '[]', '{"made":"","profiles":{"a":1},"configs":[]}'])(
    'is unknown where somebody wrote %j over it',
    (text) => {
      expect(settingsAt({ 'revision-4': text }, revision(4))).toBeUndefined();
    },
  );
});

describe('settings are the same', () => {
  test('when only a node has come or gone', () => {
    expect(sameSettings(SETTINGS, nodeSettings([MASTER, WORKER], FOUND))).toBe(true);
    expect(sameSettings(nodeSettings([MASTER, WORKER], FOUND), SETTINGS)).toBe(true);
  });

  test('and not when a device, a profile or a CiliumNodeConfig is another', () => {
    const others = [
      nodeSettings([MASTER, WORKER], [config('m', 'eth0'), config('w', 'eth1 em2')]),
      nodeSettings([MASTER, { ...WORKER, labels: { [LABEL]: 'm' } }], FOUND),
      nodeSettings([MASTER, { ...WORKER, labels: {} }], FOUND),
      nodeSettings([MASTER, WORKER], [config('m', 'eth0')]),
    ];
    expect(others.map((other) => sameSettings(SETTINGS, other))).toEqual(others.map(() => false));
  });
});

describe('the way back', () => {
  test('gives each node the profile that it had, and leaves its other labels', () => {
    const now = [
      { ...MASTER, labels: { zone: 'a' } },
      { ...PLAIN, labels: { [LABEL]: 'w', disk: 'ssd' } },
    ];
    const { nodes, configs } = nodesBefore(SETTINGS, now, []);
    expect(nodes.map(({ name, labels }) => [name, labels])).toEqual([
      ['master', { zone: 'a', [LABEL]: 'm' }],
      ['plain', { disk: 'ssd' }],
    ]);
    expect(configs).toEqual(SETTINGS.configs);
  });

  test('leaves a node that joined since its profile, and what that says', () => {
    const joined = clusterNode('third', { labels: { [LABEL]: 't' } });
    const found = [...FOUND, config('t', 'eth3'), config('unused', 'eth4')];
    const { nodes, configs } = nodesBefore(SETTINGS, [MASTER, joined], found);
    expect(nodes.map(({ name }) => name)).toEqual(['master']);
    expect(configs.map(({ name }) => name)).toEqual(['m', 'w', 't']);
  });
});

test('nodes have the devices that the cluster tells them; without a profile those of the config', () => {
  const nodes = [
    configNode('master', { profile: 'm', devices: ['eth7'] }),
    configNode('worker', { profile: 'w', devices: ['eth8'] }),
    configNode('plain', { devices: ['eth9'] }),
    configNode('gone', { profile: 'm', devices: ['eth6'] }),
  ];
  const told = asTold(nodes, [MASTER, WORKER, PLAIN], [config('m', 'eth0 em2')]);
  expect(told.map(({ devices }) => devices)).toEqual([['eth0', 'em2'], [], ['eth9'], ['eth6']]);
});
