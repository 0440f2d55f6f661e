import { describe, expect, test } from 'vitest';
import { objectRemedy } from '../../../src/drift/objects.ts';
import {
  fieldText,
  objectDifferences,
  type ManifestObject,
} from '../../../src/facts/manifest-object.ts';

const RENDERED = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'cilium', namespace: 'kube-system', creationTimestamp: null },
  spec: {
    template: {
      spec: {
        hostNetwork: false,
        containers: [
          {
            name: 'agent',
            args: ['--config'],
            env: [{ name: 'A', value: '' }],
            resources: { limits: { cpu: '1000m', memory: '1Gi' } },
          },
        ],
      },
    },
  },
};

/** As the server gives it back: with defaults, in its own words, and without what says nothing. */
function liveObject(agent: object = {}, metadata: object = {}) {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'cilium', namespace: 'kube-system', uid: 'x', ...metadata },
    spec: {
      revisionHistoryLimit: 10,
      template: {
        spec: {
          dnsPolicy: 'ClusterFirst',
          containers: [
            {
              name: 'agent',
              args: ['--config'],
              env: [{ name: 'A' }],
              resources: { limits: { cpu: '1', memory: '1Gi' } },
              ...agent,
            },
          ],
        },
      },
    },
    status: { numberReady: 2 },
  };
}

const AGENT_FIELDS = 'k:{"name":"agent"}';

function managed(manager: string, container: object) {
  const fields = { 'f:containers': { [AGENT_FIELDS]: container } };
  const fieldsV1 = { 'f:spec': { 'f:template': { 'f:spec': fields } } };
  return { manager, time: '2026-11-23T15:02:11.000Z', fieldsV1 };
}

function seen(live: object, managers: readonly object[] = []): ManifestObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    name: 'cilium',
    namespace: 'kube-system',
    rendered: RENDERED,
    live: { object: live, managed: managers },
  };
}

function shown(object: ManifestObject): readonly string[] {
  const { live } = object;
  if (live === 'deleted' || 'why' in live) throw new Error('nothing to compare');
  return objectDifferences(object).map((difference) => {
    const { owner, wanted, found } = difference;
    const texts = [wanted, found].map((value) => JSON.stringify(value) ?? 'nothing');
    return `${fieldText(difference, live.object)}: ${texts.join(' → ')} by ${owner?.manager}`;
  });
}

describe('an object of the release', () => {
  test('is as it was rendered, in the words of the server', () => {
    expect(shown(seen(liveObject()))).toEqual([]);
  });

  test('differs in a field that was changed, with who did it and when', () => {
    const edit = managed('kubectl-edit', { 'f:args': {} });
    const object = seen(liveObject({ args: ['--debug'] }), [managed('helm', {}), edit]);
    expect(shown(object)).toEqual([
      'spec.template.spec.containers[agent].args[0]: "--config" → "--debug" by kubectl-edit',
    ]);
    expect(objectDifferences(object)[0]?.owner?.since).toBe('2026-11-23T15:02:11Z');
  });

  test('differs in what was added to a list, whole and with a name', () => {
    const env = [{ name: 'A' }, { name: 'FOO', value: 'bar' }];
    const added = { 'f:env': { 'k:{"name":"FOO"}': { '.': {}, 'f:name': {}, 'f:value': {} } } };
    const object = seen(liveObject({ env }), [managed('kubectl-set', added)]);
    expect(shown(object)).toEqual([
      'spec.template.spec.containers[agent].env[FOO]: nothing → {"name":"FOO","value":"bar"} by kubectl-set',
    ]);
  });

  test('may be added to by controllers, and by nobody else', () => {
    const fields = { 'f:metadata': { 'f:annotations': { '.': {}, 'f:a/b': {} } } };
    const by = (manager: string) =>
      shown(seen(liveObject({}, { annotations: { 'a/b': '1' } }), [{ manager, fieldsV1: fields }]));
    expect(by('kube-controller-manager')).toEqual([]);
    expect(by('k3s')).toEqual([]);
    expect(by('lens')).toEqual(['metadata.annotations.a/b: nothing → "1" by lens']);
  });

  test('is mended by a patch of exactly what differs, from the back of lists', () => {
    const env = [{ name: 'X', value: '1' }, { name: 'A' }, { name: 'Y~', value: '2' }];
    const added = {
      'f:env': {
        'k:{"name":"X"}': { '.': {}, 'f:name': {} },
        'k:{"name":"Y~"}': { '.': {}, 'f:name': {} },
      },
    };
    const object = seen(liveObject({ env, args: ['it’s', 'two'] }), [managed('kubectl', added)]);
    const remedy = objectRemedy(object, objectDifferences(object));
    const path = '/spec/template/spec/containers/0';
    expect(remedy).toMatch(
      /^kubectl patch daemonset\.apps\/cilium -n kube-system --type json -p '/,
    );
    expect(JSON.parse(/'(.*)'/.exec(remedy)?.[1] ?? '')).toEqual([
      { op: 'remove', path: `${path}/env/2` },
      { op: 'remove', path: `${path}/env/0` },
      { op: 'replace', path: `${path}/args`, value: ['--config'] },
    ]);
  });

  test('that Helm changed, or that is gone, is mended by a deploy', () => {
    const object = seen(liveObject({ args: ['--debug'] }), [managed('helm', { 'f:args': {} })]);
    expect(objectRemedy(object, objectDifferences(object))).toBe('ciliumship deploy');
    expect(objectRemedy({ ...object, live: 'deleted' }, [])).toBe('ciliumship deploy');
  });
});

test('D9: no command holds a secret: a deploy takes that back, and a patch what was added beside it', () => {
  const owner = { manager: 'lens' };
  const edited: ManifestObject = {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', name: 'x', namespace: 'n', rendered: {} },
    live: { object: { data: { mode: 'added', password: 'hunter2' } }, managed: [] },
  };
  const added = { path: ['data', 'mode'], wanted: undefined, found: 'added', owner };
  const secret = { path: ['data', 'password'], wanted: 'hunter3', found: 'hunter2', owner };
  const taken = 'ciliumship deploy --force-conflicts';
  expect(objectRemedy(edited, [secret])).toBe(taken);
  expect(objectRemedy(edited, [added, secret])).toBe(
    `kubectl patch configmap/x -n n --type json -p '[{"op":"remove","path":"/data/mode"}]' && ${taken}`,
  );
});
