import { expect, test } from 'vitest';
import { freedBytes, type FoundImages } from '../../../src/commands/shared/retention.ts';
import type { KeptImage } from '../../../src/import/retain.ts';
import { digestOf, EMPTY_NODE } from '../../support/values.ts';

function keptImage(id: string): KeptImage {
  const name = `quay.io/cilium/cilium:dev-${id}`;
  const use = { usedBy: ['nothing'], stays: false };
  return { digestName: name, names: [name], id, size: 0, pinned: true, ...use };
}

const [OLD, NEW] = ['old', 'new'].map(keptImage);
const layer = (text: string, size: number) => ({ digest: digestOf(text), size });
const BASE = layer('base', 100);

/** Two images over one base; the new one has a layer twice. */
const FOUND: FoundImages = {
  store: EMPTY_NODE,
  images: [OLD, NEW].filter((image) => image !== undefined),
  layers: new Map([
    ['old', [BASE, layer('old', 20)]],
    ['new', [BASE, layer('new', 3), layer('new', 3)]],
  ]),
};

test.each([
  [['old'], 20],
  [['new'], 3],
  [['old', 'new'], 123],
  [[], 0],
])('with %j go the layers that no other shipped image has: %i bytes', (ids, bytes) => {
  const gone = FOUND.images.filter(({ id }) => ids.includes(id));
  expect(freedBytes(FOUND, gone)).toBe(bytes);
});
