import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/core/digest.ts';
import { placeText } from '../../../src/drift/cell.ts';
import type { LiveRelease } from '../../../src/drift/compare-release.ts';
import { compare, type Observed } from '../../../src/drift/compare.ts';
import type { ShipLock } from '../../../src/drift/lock-file.ts';
import type { ManifestObject } from '../../../src/facts/manifest-object.ts';
import { digestOf, nodeWith, shipImage } from '../../support/values.ts';

const IMAGE = shipImage('cilium', ['base', 'agent']);
const OTHER = shipImage('cilium', ['base', 'other']);
const RELEASE = {
  revision: 3,
  chart: digestOf('chart'),
  chartVersion: '1.19.6',
  values: digestOf('values'),
  manifest: digestOf('manifest'),
};
const LOCK: ShipLock = {
  version: 1,
  images: {
    cilium: {
      name: IMAGE.name,
      digestName: IMAGE.digestName,
      config: IMAGE.config.digest,
      manifest: IMAGE.manifest.digest,
      layers: [],
    },
  },
  nodes: ['worker'],
  release: RELEASE,
};
const LIVE: LiveRelease = { ...RELEASE, changes: [] };
const POD = {
  pod: 'cilium-abcde',
  namespace: 'kube-system',
  node: 'worker',
  image: IMAGE.digestName,
};
const PROFILE = { what: 'label hw-profile of worker', wanted: 'worker-layout' };

function agents(image: string): ManifestObject {
  const spec = { template: { spec: { containers: [{ name: 'agent', image }] } } };
  const object = { spec };
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    name: 'cilium',
    namespace: 'kube-system',
    rendered: object,
    live: { object, managed: [] },
  };
}

const SEEN: Observed = {
  local: { seen: new Map([[IMAGE.name, IMAGE.config.digest]]) },
  nodes: new Map([['worker', { seen: nodeWith([IMAGE]) }]]),
  running: { seen: [{ ...POD, imageId: IMAGE.config.digest }] },
  release: { seen: LIVE },
  objects: { seen: [agents(IMAGE.digestName)] },
  settings: [{ seen: [{ ...PROFILE, found: 'worker-layout' }] }],
};

function open(change: Partial<Observed>): readonly string[] {
  return compare(LOCK, { ...SEEN, ...change })
    .filter(({ state }) => state !== 'ok')
    .map((cell) => `${cell.state}: ${cell.what}, ${placeText(cell)}: ${cell.found}`);
}

const short = (digest: Digest): string => digest.slice(7, 19);
const unpinned = nodeWith([IMAGE], {
  cri: nodeWith([IMAGE]).cri.map((image) => ({ ...image, pinned: false })),
});

describe('drift', () => {
  test('is none when every place is as the lock says', () => {
    expect(open({})).toEqual([]);
    expect(compare(LOCK, SEEN)).toHaveLength(8);
  });

  test('does not call a release good of which the lock says nothing', () => {
    const { release: _, ...before } = LOCK;
    const cells = compare(before, { release: { why: 'nothing of a release yet' } });
    expect(cells).toMatchObject([
      { what: 'release', state: 'unknown', found: 'nothing of a release yet' },
    ]);
  });

  test('compares only what was looked at', () => {
    expect(compare(LOCK, { running: SEEN.running! })).toHaveLength(1);
  });

  test.each<readonly [string, Partial<Observed>, string]>([
    [
      'another image in Docker',
      { local: { seen: new Map([[IMAGE.name, OTHER.config.digest]]) } },
      `drift: cilium, here: ${short(OTHER.config.digest)}`,
    ],
    ['no image in Docker', { local: { seen: new Map() } }, 'drift: cilium, here: missing'],
    [
      'no Docker',
      { local: { why: 'Docker does not answer' } },
      'unknown: cilium, here: Docker does not answer',
    ],
    [
      'another image on a node',
      { nodes: new Map([['worker', { seen: nodeWith([OTHER]) }]]) },
      `drift: cilium, worker: ${short(OTHER.config.digest)}`,
    ],
    [
      'no image on a node',
      { nodes: new Map([['worker', { seen: nodeWith([]) }]]) },
      'drift: cilium, worker: missing',
    ],
    [
      'a pin that is gone',
      { nodes: new Map([['worker', { seen: unpinned }]]) },
      'drift: cilium, worker: not pinned',
    ],
    [
      'F52: a node that does not answer',
      { nodes: new Map([['worker', { why: 'worker: no answer' }]]) },
      'unknown: cilium, worker: worker: no answer',
    ],
    [
      'a pod that runs the old image',
      { running: { seen: [{ ...POD, imageId: OTHER.config.digest }] } },
      `drift: cilium, pods on worker: ${short(OTHER.config.digest)}`,
    ],
    [
      'a pod whose runtime names a manifest that is not ours: it may hold the same',
      { running: { seen: [{ ...POD, imageId: OTHER.manifest.digest, byManifest: true }] } },
      'unknown: cilium, pods on worker: manifest ',
    ],
    [
      'a manifest that was changed',
      { release: { seen: { ...LIVE, manifest: digestOf('x') } } },
      'drift: manifest, release',
    ],
    [
      'a label that was removed',
      { settings: [{ seen: [{ ...PROFILE, found: 'nothing' }] }] },
      'drift: label hw-profile of worker, release: nothing',
    ],
    [
      'D25: labels that there is no right to',
      { settings: [{ why: 'the API server refuses: list nodes (HTTP 403)' }] },
      'unknown: nodes, release: the API server refuses',
    ],
    [
      'a release that is gone',
      { release: { seen: 'none' } },
      'drift: values, release: not installed',
    ],
    [
      'workloads that name another build',
      { objects: { seen: [agents(OTHER.digestName)] } },
      `drift: cilium, release: ${OTHER.digestName}`,
    ],
  ])('sees %s', (_title, change, said) => {
    const found = open(change);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(said);
  });

  test('D9: a variable that holds a secret differs, and neither value is shown', () => {
    const env = (value: string): object => {
      const containers = [{ name: 'agent', env: [{ name: 'DB_PASSWORD', value }] }];
      return { spec: { template: { spec: { containers } } } };
    };
    const fieldsV1 = { 'f:spec': {} };
    const live = { object: env('hunter2'), managed: [{ manager: 'lens', fieldsV1 }] };
    const objects = { seen: [{ ...agents(''), rendered: env('hunter3'), live }] };
    const cell = compare(LOCK, { ...SEEN, objects }).find(({ what }) => what.includes('env'));
    expect(cell).toMatchObject({ state: 'drift', wanted: '[hidden]', found: '[hidden]' });
    expect(cell?.remedy).toBe('ciliumship deploy --force-conflicts');
  });

  test('replaces a pod by a deploy, or by starting it anew when its name moved under it', () => {
    const remedy = (image: string) =>
      compare(LOCK, { running: { seen: [{ ...POD, image, imageId: OTHER.config.digest }] } })[0]
        ?.remedy;
    expect(remedy(OTHER.digestName)).toBe('ciliumship deploy');
    expect(remedy(IMAGE.name)).toBe('kubectl delete pod -n kube-system cilium-abcde');
  });

  test('takes the digest of our manifest for the image, as some runtimes name it', () => {
    const imageId = IMAGE.manifest.digest;
    expect(open({ running: { seen: [{ ...POD, imageId, byManifest: true }] } })).toEqual([]);
  });

  test('sees a value that was changed, where it changes what is applied', () => {
    const values = digestOf('x');
    expect(open({ release: { seen: { ...LIVE, values } } })).toEqual([]);
    const changes = ['MTU 1400 → 1500'];
    const release = { seen: { ...LIVE, values, changes, manifest: digestOf('y') } };
    expect(open({ release })[0]).toBe('drift: values, release: MTU 1400 → 1500 (revision 3)');
  });

  test('D25: takes values and manifest of a record for seen only when every object is as rendered', () => {
    const recorded = { release: { seen: { ...LIVE, recorded: true } } };
    const found = compare(LOCK, { ...SEEN, ...recorded }).filter(({ what }) => what === 'manifest');
    expect(found).toMatchObject([{ state: 'ok', found: 'as its 1 objects show' }]);

    const changed = { ...agents(IMAGE.digestName), live: 'deleted' } as const;
    const unread = { ...agents(IMAGE.digestName), live: { why: 'no right' } } as const;
    for (const objects of [{ seen: [changed] }, { seen: [unread] }, { seen: [] }, { why: 'no' }]) {
      const cells = compare(LOCK, { ...SEEN, ...recorded, objects });
      const states = cells.filter(({ what }) => what === 'values' || what === 'manifest');
      expect(states.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
    }
  });

  test('D25: a record of another rollout than the locked one is a difference', () => {
    const release = { seen: { ...LIVE, recorded: true, manifest: digestOf('x') } };
    expect(open({ release })).toEqual([expect.stringContaining('drift: manifest, release')]);
  });

  test('names a command for every difference', () => {
    const all: Observed = {
      local: { seen: new Map() },
      nodes: new Map(),
      running: { seen: [] },
      release: { seen: 'none' },
    };
    const cells = compare(LOCK, all).filter(({ state }) => state === 'drift');
    expect(cells.length).toBeGreaterThan(1);
    expect(cells.every(({ remedy }) => remedy?.includes('ciliumship') === true)).toBe(true);
  });
});
