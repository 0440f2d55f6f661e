import { ApiException, type KubernetesObject } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { fieldConflicts } from '../../../src/system/kube/conflicts.ts';
import { createAsker } from '../../../src/system/kube/errors.ts';

const MANIFEST = `
apiVersion: v1
kind: ConfigMap
metadata: { name: cilium-config, namespace: kube-system }
data: { mtu: "1400" }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: cilium }
---
apiVersion: v1
kind: Secret
metadata: { name: hubble }
`;

type Api = Parameters<typeof fieldConflicts>[0];
type Patched = readonly unknown[];

/** An API server that answers each apply as `answer` does, and what it was asked. */
function apiThat(answer: (object: KubernetesObject) => KubernetesObject): {
  readonly api: Api;
  readonly asked: Patched[];
} {
  const asked: Patched[] = [];
  const patch = async (object: KubernetesObject, ...more: unknown[]) => {
    asked.push([`${object.kind} ${object.metadata?.namespace}`, ...more]);
    return answer(object);
  };
  const read = async ({ kind, metadata }: { kind: string; metadata: object }) =>
    kind === 'ClusterRole' ? { kind, metadata: { name: 'cilium' } } : { kind, metadata };
  return { api: { patch, read } as unknown as Api, asked };
}

const asker = createAsker({ signal: new AbortController().signal, deadline: 5000 });
const find = (api: Api) => fieldConflicts(api, asker, 'own', MANIFEST);

function refusal(code: number, body: object): ApiException<string> {
  return new ApiException(code, 'no', JSON.stringify(body), {});
}

/** The API server itself calls some of its refusals an internal error. */
function broken(message: string): ApiException<string> {
  return refusal(500, { kind: 'Status', status: 'Failure', message, code: 500 });
}

/** As the API server of Kubernetes 1.33 says it. */
const CONFLICT = refusal(409, {
  kind: 'Status',
  message: 'Apply failed with 2 conflicts: …',
  reason: 'Conflict',
  details: {
    causes: [
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "Mozilla" using v1 at 2026-11-30T00:00:00Z',
        field: '.data.mtu',
      },
      { reason: 'FieldManagerConflict', message: 'conflict with "lens"', field: '.data.x' },
    ],
  },
  code: 409,
});

test('every object is applied as Helm, by a dry run and without force, where it is', async () => {
  const { api, asked } = apiThat((object) => object);
  expect(await find(api)).toEqual([]);
  const how = [undefined, 'All', 'helm', false, 'application/apply-patch+yaml'];
  expect(asked).toEqual([
    ['ConfigMap kube-system', ...how],
    ['ClusterRole undefined', ...how],
    ['Secret own', ...how],
  ]);
});

test('D23: what the API server calls a conflict names object, field and manager, whoever it is', async () => {
  const { api } = apiThat((object) => {
    if (object.kind === 'ConfigMap') throw CONFLICT;
    return object;
  });
  const object = 'ConfigMap cilium-config';
  expect(await find(api)).toEqual([
    { object, field: 'data.mtu', manager: 'Mozilla' },
    { object, field: 'data.x', manager: 'lens' },
  ]);
});

test.each([
  ['not there yet', refusal(404, {})],
  ['without a right to it', refusal(403, {})],
  ['in another conflict', refusal(409, { message: 'the object has been modified' })],
  ['that cannot be merged', broken('failed to create typed patch object: duplicate entries')],
  ['whose webhook is down', broken('Internal error occurred: failed calling webhook "x"')],
  ['of no kind yet', new Error('Unrecognized API version and kind: cilium.io/v2 X')],
])('an object %s stops nothing', async (_, error) => {
  const { api } = apiThat(() => {
    throw error;
  });
  expect(await find(api)).toEqual([]);
});

test.each([
  ['does not answer', new Error('fetch failed'), 'network'],
  ['is broken', refusal(503, {}), 'network'],
  ['starts', refusal(503, { kind: 'Status', message: 'apiserver not ready' }), 'network'],
  ['is behind a broken proxy', new ApiException(500, 'no', '<html>', {}), 'network'],
  ['has too much to do', refusal(429, {}), 'deploy'],
])('an API server that %s is no word of consent', async (_, error, kind) => {
  const { api } = apiThat(() => {
    throw error;
  });
  await expect(find(api)).rejects.toMatchObject({ kind });
});
