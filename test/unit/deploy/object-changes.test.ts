import { expect, test } from 'vitest';
import { handEdits } from '../../../src/deploy/hand-edits.ts';
import { objectChanges } from '../../../src/deploy/object-changes.ts';
import { valueChanges } from '../../../src/deploy/value-changes.ts';
import type { ManifestObject } from '../../../src/facts/manifest-object.ts';

/** A ConfigMap that was rendered with `data`, and is `live` in the cluster. */
function map(data: object, live?: object, managed: ManagedBy = []): ManifestObject {
  const metadata = { name: 'cilium-config' };
  const found = { metadata: { ...metadata, uid: 'set by the API server' }, data: live };
  return {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', name: 'cilium-config', namespace: 'kube-system' },
    rendered: { kind: 'ConfigMap', metadata, data },
    live: live === undefined ? 'deleted' : { object: found, managed },
  };
}

type ManagedBy = readonly { readonly manager: string; readonly fieldsV1: object }[];

test('a field that differs is shown with both values, whoever changed it', () => {
  const now = map({ mtu: '1400' }, { mtu: '1300' });
  expect(objectChanges([now], [now])).toEqual([
    { object: 'ConfigMap cilium-config', what: 'change', fields: ['data.mtu: 1300 → 1400'] },
  ]);
});

test('nothing is shown of what others added, and of what is the same in other words', () => {
  const now = map({ mtu: '1400' }, { mtu: 1400, theirs: 'x' });
  expect(objectChanges([now], [now])).toEqual([]);
});

test('a key that the chart does not set any more goes', () => {
  const live = { mtu: '1400', old: '1' };
  const before = map({ mtu: '1400', old: '1', gone: '2' }, live);
  const [change] = objectChanges([map({ mtu: '1400' }, live)], [before]);
  expect(change?.fields).toEqual(['data.old: 1 → (none)']);
});

test('objects come and go', () => {
  expect(objectChanges([map({ mtu: '1400' })], [])).toMatchObject([{ what: 'create' }]);
  expect(objectChanges([], [map({ mtu: '1400' }, {})])).toMatchObject([{ what: 'delete' }]);
  expect(objectChanges([], [map({ mtu: '1400' })])).toEqual([]);
});

test('a secret is told by its hash only', () => {
  const object = map({ key: 'aHVudGVyMg==' }, { key: 'b3RoZXI=' });
  const changes = objectChanges([{ ...object, kind: 'Secret' }], []);
  expect(changes[0]?.fields[0]).toMatch(/^data.key: \(sha256 [0-9a-f]{12}\) → \(sha256/);
  expect(JSON.stringify(changes)).not.toMatch(/aHVudGVyMg|b3RoZXI/);
});

test('what kubectl set to something else than the chart is an edit by hand, and what it added is not', () => {
  const live = { mtu: '1300', debug: 'false', theirs: 'x', late: '1' };
  const object = map({ mtu: '1400', debug: 'false', late: '2' }, live, [
    {
      manager: 'kubectl-edit',
      fieldsV1: { 'f:data': { 'f:mtu': {}, 'f:debug': {}, 'f:theirs': {} } },
    },
    { manager: 'kube-controller-manager', fieldsV1: { 'f:data': { 'f:late': {} } } },
  ]);
  expect(handEdits([object])).toEqual(['ConfigMap cilium-config: data.mtu (kubectl-edit)']);
  expect(handEdits([map({})])).toEqual(['ConfigMap cilium-config: deleted']);
});

test.each([
  ...['Mozilla', 'lens', 'argocd-controller', 'HashiCorp', 'python-requests'].map(
    (manager) => [manager, true] as const,
  ),
  ...['helm', 'kube-controller-manager', 'cilium-operator-generic', 'k3s'].map(
    (manager) => [manager, false] as const,
  ),
])('what %s set to something else than the chart is an edit: %s', (manager, isEdit) => {
  const fieldsV1 = { 'f:data': { 'f:mtu': {} } };
  const object = map({ mtu: '1400' }, { mtu: '1300' }, [{ manager, fieldsV1 }]);
  const edits = isEdit ? [`ConfigMap cilium-config: data.mtu (${manager})`] : [];
  expect(handEdits([object])).toEqual(edits);
});

test('a number of replicas that nobody signed was scaled by hand', () => {
  const operator = (replicas: number): object => ({ spec: { replicas, paused: replicas > 0 } });
  const scaled: ManifestObject = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'cilium-operator' },
    ...{ namespace: 'kube-system', rendered: operator(1) },
    live: { object: operator(0), managed: [] },
  };
  expect(handEdits([scaled])).toEqual([
    'Deployment cilium-operator: spec.replicas (kubectl scale)',
  ]);
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
    'hubble.tls.server.key: (none) → "[hidden]"',
    'password: (none) → "[hidden]"',
  ]);
});

test('D9: no secret of a list of values is shown, and the rest of the list is', () => {
  const clusters = [{ name: 'a', tls: { cert: 'open', key: 'LS0tLS1' } }];
  const extraEnv = [
    { name: 'DB_PASSWORD', value: 'hunter2' },
    { name: 'MODE', value: 'fast' },
  ];
  const now = { clustermesh: { config: { clusters } }, extraEnv, etcd: { sslKeyData: 'abc' } };
  expect(valueChanges({ extraEnv: [] }, now)).toEqual([
    'clustermesh.config.clusters: (none) → [{"name":"a","tls":{"cert":"open","key":"[hidden]"}}]',
    'etcd.sslKeyData: (none) → "[hidden]"',
    'extraEnv: [] → [{"name":"DB_PASSWORD","value":"[hidden]"},{"name":"MODE","value":"fast"}]',
  ]);
});

test('a list that differs in secrets only is a change all the same, and a long one is cut', () => {
  const env = (value: string): object => ({ extraEnv: [{ name: 'API_TOKEN', value }] });
  expect(valueChanges({ ...env('old') }, { ...env('new') })).toHaveLength(1);
  const [long = ''] = valueChanges({}, { list: Array.from({ length: 1000 }, () => 'x') });
  expect(long.length).toBeLessThan(300);
});

test('D9: no variable of a pod that is secret is shown', () => {
  const pod = (value: string, more: readonly object[] = []): ManifestObject => {
    const env = [{ name: 'DB_PASSWORD', value }, { name: 'MODE', value: 'fast' }, ...more];
    const rendered = { spec: { containers: [{ name: 'agent', env }] } };
    return { ...map({}), kind: 'DaemonSet', rendered, live: { object: rendered, managed: [] } };
  };
  const extra = [{ name: 'API_TOKEN', value: 'hunter4' }];
  const before = pod('hunter2', extra);
  const now = { ...pod('hunter3'), live: before.live };
  const [change] = objectChanges([now], [before]);
  expect(change?.fields[0]).toMatch(/env\[DB_PASSWORD\].value: \[hidden\] → \[hidden\]$/);
  expect(JSON.stringify(change)).not.toContain('hunter');
});
