import { expect, test } from 'vitest';
import { FINISHED, UNFINISHED } from '../../../src/deploy/descriptions.ts';
import { NODE_CONFIG_ANNOTATION } from '../../../src/deploy/node-config.ts';
import { isUnchanged, type Situation } from '../../../src/deploy/unchanged.ts';
import { agent } from '../../support/fake-cluster.ts';

const STATUS = { revision: 4, status: 'deployed', description: FINISHED };
const PROVED = agent('cilium-w', { annotations: { [NODE_CONFIG_ANNOTATION]: 'abc' } });
const MASTER = agent('cilium-m', {
  node: 'master',
  annotations: { [NODE_CONFIG_ANNOTATION]: 'none' },
});

const SETTLED: Situation = {
  rendered: 'kind: DaemonSet\n',
  applied: '\nkind: DaemonSet',
  history: [STATUS],
  agents: [PROVED, MASTER],
  nodeConfigs: new Map([
    ['worker', 'abc'],
    ['master', 'none'],
  ]),
  hash: 'new',
  open: 0,
  edits: 0,
};

test('a cluster is unchanged when Helm, every agent and every label are as they would become', () => {
  expect(isUnchanged(SETTLED)).toBe(true);
});

test('a cluster is unchanged when another Helm than the last one would apply the same', () => {
  const applied = '---\n# Source: a\nkind: DaemonSet\n---\n# Source: b\nkind: Secret\n';
  const rendered = '---\n# Source: a\nkind: DaemonSet\n\n---\n# Source: b\nkind: Secret\n\n\n';
  expect(isUnchanged({ ...SETTLED, applied, rendered })).toBe(true);
  expect(isUnchanged({ ...SETTLED, applied, rendered: `${rendered}---\nkind: Pod\n` })).toBe(false);
});

test.each<[string, Partial<Situation>]>([
  ['Helm would apply something else', { rendered: 'kind: DaemonSet # new\n' }],
  ['there is no release', { applied: undefined, history: [] }],
  ['the last revision failed', { history: [{ ...STATUS, status: 'failed' }] }],
  ['Helm still works on it', { history: [{ ...STATUS, status: 'pending-upgrade' }] }],
  ['the last rollout was not finished', { history: [{ ...STATUS, description: UNFINISHED }] }],
  ['somebody else upgraded', { history: [{ ...STATUS, description: 'Upgrade complete' }] }],
  ['there is no DaemonSet', { hash: undefined }],
  ['a label or a CiliumNodeConfig differs', { open: 1 }],
  ['a node has no agent', { agents: [MASTER] }],
  ['an agent is not ready', { agents: [MASTER, { ...PROVED, ready: false }] }],
  ['an agent ends', { agents: [MASTER, { ...PROVED, deleting: true }] }],
  ['an agent was never proved', { agents: [MASTER, { ...PROVED, annotations: {} }] }],
  ['an agent is of an older template', { hash: 'newer' }],
  ['a node got other devices', { nodeConfigs: new Map([['worker', 'def']]) }],
  ['a node is new', { nodeConfigs: new Map([...SETTLED.nodeConfigs, ['new', 'none']]) }],
])('a cluster is not unchanged when %s', (_, more) => {
  expect(isUnchanged({ ...SETTLED, ...more })).toBe(false);
});
