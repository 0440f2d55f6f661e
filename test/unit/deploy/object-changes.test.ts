import { expect, test } from 'vitest';
import { objectChanges } from '../../../src/deploy/object-changes.ts';
import { valueChanges } from '../../../src/deploy/value-changes.ts';

const map = (mtu: string, more = ''): string =>
  `kind: ConfigMap\nmetadata: { name: cilium-config }\ndata: { mtu: "${mtu}"${more} }\n`;
const live = (data: object) => [
  { kind: 'ConfigMap', name: 'cilium-config', live: { kind: 'ConfigMap', data, metadata: META } },
];
const META = { name: 'cilium-config', uid: 'set by the API server' };

test('a field that differs is shown with both values, whoever changed it', () => {
  expect(objectChanges(map('1400'), map('1400'), live({ mtu: '1300' }))).toEqual([
    { object: 'ConfigMap cilium-config', what: 'change', fields: ['data.mtu: 1300 → 1400'] },
  ]);
});

test('nothing is shown of what others added, and of what is the same in other words', () => {
  expect(objectChanges(map('1400'), map('1400'), live({ mtu: 1400, theirs: 'x' }))).toEqual([]);
});

test('a key that the chart does not set any more goes', () => {
  const changes = objectChanges(
    map('1400'),
    map('1400', ', old: "1"'),
    live({ mtu: '1400', old: '1' }),
  );
  expect(changes[0]?.fields).toEqual(['data.old: 1 → (none)']);
});

test('objects come and go', () => {
  const created = [{ kind: 'ConfigMap', name: 'cilium-config', live: undefined }];
  expect(objectChanges(map('1400'), '', created)).toMatchObject([{ what: 'create' }]);
  expect(objectChanges('', map('1400'), live({}))).toMatchObject([{ what: 'delete' }]);
});

test('a secret is told by its hash only', () => {
  const secret = 'kind: Secret\nmetadata: { name: ca }\ndata: { key: aHVudGVyMg== }\n';
  const found = { kind: 'Secret', metadata: { name: 'ca' }, data: { key: 'b3RoZXI=' } };
  const changes = objectChanges(secret, secret, [{ kind: 'Secret', name: 'ca', live: found }]);
  expect(changes[0]?.fields[0]).toMatch(/^data.key: \(sha256 [0-9a-f]{12}\) → \(sha256/);
  expect(JSON.stringify(changes)).not.toMatch(/aHVudGVyMg|b3RoZXI/);
});

test('values are compared with those of the newest revision', () => {
  expect(valueChanges({ MTU: 1400, a: { b: 1 } }, { MTU: 1390, c: [1] })).toEqual([
    'MTU: 1400 → 1390',
    'a.b: 1 → (none)',
    'c: (none) → [1]',
  ]);
  expect(valueChanges(undefined, { MTU: 1 })).toEqual(['MTU: (none) → 1']);
});

test('values of keys and passwords are not shown', () => {
  const tls = { hubble: { tls: { server: { key: 'hunter2', cert: 'a' } } }, password: 'hunter3' };
  expect(valueChanges({}, tls)).toEqual([
    'hubble.tls.server.cert: (none) → "a"',
    'hubble.tls.server.key: (none) → [hidden]',
    'password: (none) → [hidden]',
  ]);
});
