import { describe, expect, test } from 'vitest';
import {
  changedNodeConfigs,
  labelChange,
  nodeConfigHash,
  nodeConfigsOf,
  toldByConfig,
  unwantedNodeConfigs,
} from '../../../src/deploy/node-config.ts';
import type { Node } from '../../../src/core/node.ts';
import type { FoundNodeConfig } from '../../../src/deploy/cluster.ts';
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

describe('the hash of the devices that a node is told', () => {
  const seen = [clusterNode('master'), clusterNode('k-w'), clusterNode('plain')];
  const byConfig = (...nodes: readonly Node[]) => toldByConfig(nodes, seen, []);
  const found = { name: 'a', profile: 'a', defaults: { devices: 'eth0' }, ours: true };
  const labelled = [clusterNode('master', { labels: { 'hw-profile': 'a' } })];
  const hashOf = (...configs: readonly FoundNodeConfig[]) =>
    nodeConfigHash('master', { nodes: labelled, configs });

  test('goes by the Kubernetes name, and only the node’s own devices change it', () => {
    const hash = nodeConfigHash('k-w', byConfig(MASTER, WORKER));
    expect(hash).toMatch(/^[0-9a-f]{12}$/);
    const moved = { ...MASTER, devices: ['eth7'] };
    expect(nodeConfigHash('k-w', byConfig(moved, WORKER))).toBe(hash);
    expect(nodeConfigHash('master', byConfig(moved, WORKER))).not.toBe(
      nodeConfigHash('master', byConfig(MASTER, WORKER)),
    );
  });

  test.each(['plain', 'stranger'])('is "none" for node %s, which is told nothing', (name) => {
    expect(nodeConfigHash(name, byConfig(MASTER, configNode('plain')))).toBe('none');
  });

  test('is "none" without a label, and where no CiliumNodeConfig names devices', () => {
    const told = { nodes: [clusterNode('x')], configs: [found] };
    expect(nodeConfigHash('x', told)).toBe('none');
    expect(hashOf()).toBe('none');
    expect(hashOf({ ...found, defaults: { mtu: '1400' } })).toBe('none');
  });

  test('is the one that a rollout of the config would prove, whoever applied it', () => {
    const proved = nodeConfigHash('master', byConfig(MASTER));
    expect(hashOf(found)).toBe(proved);
    expect(hashOf({ ...found, ours: false })).toBe(proved);
    const theirs = { ...found, name: 'made-by-hand', ours: false };
    expect(nodeConfigHash('master', toldByConfig([], labelled, [theirs]))).toBe(proved);
  });

  test('goes by a label that somebody else set, before the rollout as after it', () => {
    const other = configNode('other', { profile: 'a', devices: ['eth0'] });
    const told = toldByConfig([configNode('master'), other], labelled, []);
    expect(nodeConfigHash('master', told)).toBe(hashOf(found));
  });

  test('is the same when others set keys of their own, and another with a second config', () => {
    const more = { ...found, defaults: { devices: 'eth0', debug: 'true' } };
    expect(hashOf(more)).toBe(hashOf(found));
    const second = { ...found, name: 'b', defaults: { devices: 'eth1' } };
    expect(hashOf(found, second)).not.toBe(hashOf(found));
    expect(hashOf(second, found)).toBe(hashOf(found, second));
  });

  test('is "none" of a config of ours that the config file does not ask for any more', () => {
    expect(nodeConfigHash('master', toldByConfig([], labelled, [found]))).toBe('none');
  });
});
