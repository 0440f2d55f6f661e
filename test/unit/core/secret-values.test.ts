import { expect, test } from 'vitest';
import { hideSecrets, isSecretAt, secretsBelow } from '../../../src/core/secret-values.ts';

const TREE = {
  tls: { key: 'k1', cert: 'open' },
  clusters: [
    { name: 'a', keyData: 'k2' },
    { name: 'JOIN_TOKEN', value: 'k3' },
  ],
  'client-key-data': 'k4',
  auth: 'k5',
  credentials: [['k6'], { deep: 'k7' }],
  args: ['--password', 'k8', '--mode', 'open'],
  tolerations: [
    { key: 'open', operator: 'Exists' },
    { key: 'open', effect: 'NoSchedule' },
  ],
  affinity: [{ topologyKey: 'open' }],
  automountServiceAccountToken: 'true',
};
const HIDDEN = ['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8'];

test('D9: what is hidden in output is what a report takes for a secret', () => {
  const shown = JSON.stringify(hideSecrets(TREE));
  expect(shown).not.toMatch(/k[1-8]/);
  expect(shown.match(/open/g)).toHaveLength(5);
  expect(secretsBelow(TREE).filter((value) => value !== 'true')).toEqual(HIDDEN);
});

test('D9: text that has the form of a secret is hidden wherever it stands', () => {
  const config = { notes: ['password: hunter2 and', 'https://me:hunter2@x/y'] };
  expect(hideSecrets(config)).toEqual({
    notes: ['password: [hidden] and', 'https://me:[hidden]@x/y'],
  });
});

test('values of other kinds under the name of a secret', () => {
  expect(hideSecrets({ token: 1234, secret: true, password: null, psk: '' })).toEqual({
    token: '[hidden]',
    secret: true,
    password: null,
    psk: '',
  });
  expect(hideSecrets(undefined, true)).toBeUndefined();
});

test.each([
  [['tls', 'key'], true],
  [['tls', 'cert'], false],
  [['clusters', 1, 'value'], true],
  [['clusters', 0, 'name'], false],
  [['credentials', 1, 'deep'], true],
  [['args', 1], true],
  [['tolerations', 0, 'key'], false],
  [['gone', 'password'], true],
  [['gone', 'mode'], false],
])('a place is secret by the names on the way to it: %j %s', (path, secret) => {
  expect(isSecretAt(TREE, path)).toBe(secret);
});
