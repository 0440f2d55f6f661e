import { describe, expect, test } from 'vitest';
import {
  changedNodeConfigs,
  labelChange,
  liveNodeConfigHash,
  nodeConfigHash,
  nodeConfigsOf,
  unwantedNodeConfigs,
} from '../../../src/deploy/node-config.ts';
import { rolloutOrder } from '../../../src/deploy/order.ts';
import { clusterNode, configNode } from '../../support/fake-cluster.ts';

const MASTER = configNode('master', { role: 'server', profile: 'a', devices: ['eth0'] });
const WORKER = configNode('worker', { profile: 'b', devices: ['eth1', 'eth2'], nodeName: 'k-w' });

describe('the node configurations', () => {
  test('are one for each profile, with the devices of its nodes', () => {
    const other = configNode('other', { profile: 'a', devices: ['eth0'] });
    expect(nodeConfigsOf([MASTER, WORKER, other])).toEqual([
      { name: 'a', profile: 'a', defaults: { devices: 'eth0' } },
      { name: 'b', profile: 'b', defaults: { devices: 'eth1 eth2' } },
    ]);
  });

  test('leave out nodes without a profile or without devices', () => {
    const nodes = [configNode('x', { devices: ['eth0'] }), configNode('y', { profile: 'a' })];
    expect(nodeConfigsOf(nodes)).toEqual([]);
  });

  test('are refused when two nodes of one profile have different devices', () => {
    const other = configNode('other', { profile: 'a', devices: ['eth9'] });
    expect(() => nodeConfigsOf([MASTER, other])).toThrowError(
      expect.objectContaining({
        kind: 'config',
        message: 'profile a has nodes with devices "eth0" and "eth9"',
      }),
    );
  });

  test('are changed when they are missing or different, whatever the order of their keys', () => {
    const config = { name: 'a', profile: 'a', defaults: { devices: 'eth0', mtu: '1400' } };
    const turned = { ...config, defaults: { mtu: '1400', devices: 'eth0' } };
    expect(changedNodeConfigs([config], [turned])).toEqual([]);
    expect(changedNodeConfigs([config], [])).toEqual([config]);
    const other = { ...config, defaults: { ...config.defaults, mtu: '1500' } };
    expect(changedNodeConfigs([config], [other])).toEqual([config]);
    expect(changedNodeConfigs([config], [{ ...config, profile: 'z' }])).toEqual([config]);
  });

  test('may hold keys that others set; ours count', () => {
    const config = { name: 'a', profile: 'a', defaults: { devices: 'eth0' } };
    const more = { ...config, defaults: { devices: 'eth0', 'enable-hubble': 'true' } };
    expect(changedNodeConfigs([config], [more])).toEqual([]);
    const without = { ...config, defaults: { 'enable-hubble': 'true' } };
    expect(changedNodeConfigs([config], [without])).toEqual([config]);
  });

  test('are unwanted when we made them and the config file does not ask for them', () => {
    const config = { name: 'a', profile: 'a', defaults: {} };
    const found = [
      { ...config, ours: true },
      { ...config, name: 'old', ours: true },
      { ...config, name: 'theirs', ours: false },
    ];
    expect(unwantedNodeConfigs([config], found).map(({ name }) => name)).toEqual(['old']);
    expect(unwantedNodeConfigs([], found).map(({ name }) => name)).toEqual(['a', 'old']);
  });

  test('have a hash by the Kubernetes name, which only their own devices change', () => {
    const hash = nodeConfigHash('k-w', [MASTER, WORKER]);
    expect(hash).toMatch(/^[0-9a-f]{12}$/);
    const moved = { ...MASTER, devices: ['eth7'] };
    expect(nodeConfigHash('k-w', [moved, WORKER])).toBe(hash);
    expect(nodeConfigHash('master', [moved, WORKER])).not.toBe(
      nodeConfigHash('master', [MASTER, WORKER]),
    );
  });

  test.each(['plain', 'stranger'])('have the hash "none" for node %s', (name) => {
    expect(nodeConfigHash(name, [MASTER, configNode('plain')])).toBe('none');
  });
});

describe('the profile label of a node', () => {
  test('is set when it is missing or another, and left when it is right', () => {
    expect(labelChange(MASTER, clusterNode('master'))).toEqual({ 'hw-profile': 'a' });
    const wrong = clusterNode('master', { labels: { 'hw-profile': 'z' } });
    expect(labelChange(MASTER, wrong)).toEqual({ 'hw-profile': 'a' });
    const right = clusterNode('master', { labels: { 'hw-profile': 'a' } });
    expect(labelChange(MASTER, right)).toEqual({});
  });

  test('is not touched when the config names no profile', () => {
    const seen = clusterNode('x', { labels: { 'hw-profile': 'theirs' } });
    expect(labelChange(configNode('x'), seen)).toEqual({});
  });
});

describe('the order of a rollout', () => {
  const candidates = ['master', 'other', 'k-w'].map((name) => clusterNode(name));
  const nodes = [MASTER, WORKER];

  test('begins with the first agent node that the config knows', () => {
    expect(rolloutOrder(candidates, nodes, undefined)).toEqual(['k-w', 'master', 'other']);
  });

  test('begins with a server where there is no agent node', () => {
    expect(rolloutOrder(candidates, [MASTER], undefined)).toEqual(['master', 'other', 'k-w']);
  });

  test.each(['worker', 'k-w'])('begins with the canary, named %s', (canary) => {
    expect(rolloutOrder(candidates, nodes, canary)[0]).toBe('k-w');
  });

  test('may begin with a server when it is the canary', () => {
    expect(rolloutOrder(candidates, nodes, 'master')).toEqual(['master', 'other', 'k-w']);
  });

  test('of no nodes is empty', () => {
    expect(rolloutOrder([], nodes, undefined)).toEqual([]);
  });

  test('has no canary that gets no agent', () => {
    expect(() => rolloutOrder(candidates, nodes, 'gone')).toThrowError(
      expect.objectContaining({
        kind: 'config',
        hint: 'choose one of: master, other, k-w, by deploy.canary or --canary NODE',
      }),
    );
  });
});

describe('the hash of what a node has now', () => {
  const found = { name: 'a', profile: 'a', defaults: { devices: 'eth0' }, ours: true };
  const node = configNode('master', { profile: 'a', devices: ['eth0'] });
  const seen = clusterNode('master', { labels: { 'hw-profile': 'a' } });

  test('is the hash of the config that made it', () => {
    expect(liveNodeConfigHash(seen, [found])).toBe(nodeConfigHash('master', [node]));
  });

  test('is the same when others set keys of their own', () => {
    const more = { ...found, defaults: { devices: 'eth0', debug: 'true' } };
    expect(liveNodeConfigHash(seen, [more])).toBe(liveNodeConfigHash(seen, [found]));
  });

  test('is none without a config of ours, as without a label', () => {
    expect(liveNodeConfigHash(seen, [{ ...found, ours: false }])).toBe('none');
    expect(liveNodeConfigHash(clusterNode('x'), [found])).toBe('none');
  });
});
