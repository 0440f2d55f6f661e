import { describe, expect, test } from 'vitest';
import type { Digest } from '../../../src/core/digest.ts';
import { compare, type LiveRelease, type Observed } from '../../../src/drift/compare.ts';
import type { ShipLock } from '../../../src/drift/lock-file.ts';
import { digestOf, nodeWith, shipImage } from '../../support/values.ts';

const IMAGE = shipImage('cilium', ['base', 'agent']);
const OTHER = shipImage('cilium', ['base', 'other']);
const RELEASE = {
  revision: 3,
  chart: digestOf('chart'),
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
const LIVE: LiveRelease = { ...RELEASE, images: [IMAGE.digestName, 'a/b:1'], edits: [], open: [] };
const POD = { pod: 'cilium-abcde', node: 'worker', image: IMAGE.digestName };
const SEEN: Observed = {
  local: new Map([[IMAGE.name, IMAGE.config.digest]]),
  nodes: new Map([['worker', nodeWith([IMAGE])]]),
  running: [{ ...POD, imageId: IMAGE.config.digest }],
  release: LIVE,
};

function open(change: Partial<Observed>): readonly string[] {
  return compare(LOCK, { ...SEEN, ...change })
    .filter(({ state }) => state !== 'ok')
    .map(({ what, place, state, found }) => `${state}: ${what} ${place}: ${found}`);
}

describe('drift', () => {
  test('is none when every place is as the lock says', () => {
    expect(open({})).toEqual([]);
    expect(compare(LOCK, SEEN)).toHaveLength(6);
  });

  const short = (digest: Digest): string => digest.slice(7, 19);
  test.each<readonly [string, Partial<Observed>, string]>([
    [
      'another image in Docker',
      { local: new Map([[IMAGE.name, OTHER.config.digest]]) },
      `drift: cilium local: ${short(OTHER.config.digest)}`,
    ],
    ['no image in Docker', { local: new Map() }, 'drift: cilium local: missing'],
    ['no Docker', { local: undefined }, 'unknown: cilium local: Docker does not answer'],
    [
      'another image on a node',
      { nodes: new Map([['worker', nodeWith([OTHER])]]) },
      `drift: cilium worker: ${short(OTHER.config.digest)}`,
    ],
    [
      'no image on a node',
      { nodes: new Map([['worker', nodeWith([])]]) },
      'drift: cilium worker: missing',
    ],
    [
      'a pin that is gone',
      {
        nodes: new Map([
          [
            'worker',
            nodeWith([IMAGE], {
              cri: nodeWith([IMAGE]).cri.map((image) => ({ ...image, pinned: false })),
            }),
          ],
        ]),
      },
      'drift: cilium worker: not pinned',
    ],
    [
      'F52: a node that does not answer',
      { nodes: new Map([['worker', undefined]]) },
      'unknown: cilium worker: unreachable',
    ],
    [
      'a pod that runs the old image',
      { running: [{ ...POD, imageId: OTHER.config.digest }] },
      `drift: cilium running: ${short(OTHER.config.digest)} on worker`,
    ],
    [
      'a manifest that was changed',
      { release: { ...LIVE, manifest: digestOf('x') } },
      'drift: manifest release',
    ],
    [
      'a field that was set by hand',
      { release: { ...LIVE, edits: ['ConfigMap cilium-config: data.mtu (kubectl-edit)'] } },
      'drift: objects release: ConfigMap cilium-config',
    ],
    [
      'a label that was removed',
      { release: { ...LIVE, open: ['label hw-profile of worker'] } },
      'drift: nodes release: label hw-profile of worker',
    ],
    ['a release that is gone', { release: 'none' }, 'drift: values release: not installed'],
    [
      'a release that names another build',
      { release: { ...LIVE, images: [OTHER.digestName] } },
      `drift: cilium release: ${OTHER.digestName}`,
    ],
  ])('sees %s', (_title, change, said) => {
    const found = open(change);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(said);
  });

  test('sees a value that was changed, where it changes what is applied', () => {
    const values = digestOf('x');
    expect(open({ release: { ...LIVE, values } })).toEqual([]);
    const release = { ...LIVE, values, manifest: digestOf('y') };
    expect(open({ release }).map((line) => line.split(' ')[1])).toEqual(['values', 'manifest']);
  });

  test('names a command for every difference', () => {
    const all: Observed = { local: new Map(), nodes: new Map(), running: [], release: 'none' };
    const cells = compare(LOCK, all).filter(({ state }) => state === 'drift');
    expect(cells.every(({ remedy }) => remedy?.includes('ciliumship') === true)).toBe(true);
  });
});
