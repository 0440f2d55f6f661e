import { assert, property, array, constantFrom, boolean, option, uniqueArray } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { removalCommands, retention, type NeededNames } from '../../../src/import/retain.ts';
import type { NodeStore } from '../../../src/facts/node-store.ts';
import { nodeWith, shipImage } from '../../support/values.ts';

const [A, B, C] = [
  shipImage('cilium', ['base', 'first']),
  shipImage('cilium', ['base', 'second']),
  shipImage('cilium', ['base', 'third']),
];
const ALL = [A, B, C];
const NOBODY: NeededNames = { release: new Set(), wayBack: new Set() };

/** Three pushes of one name: it points at the last of them. */
const STORE: NodeStore = nodeWith(ALL);

function uses(needed: NeededNames | undefined, containers: readonly string[] = []) {
  const made = containers.map((image) => ({ image, pod: 'cilium-abcde' }));
  return retention(STORE, made, needed).map(({ usedBy, stays }) => [usedBy.join(), stays]);
}

describe('a shipped image stays', () => {
  test('while it is the last push', () => {
    expect(uses(NOBODY)).toEqual([
      ['nothing', false],
      ['nothing', false],
      ['last push', true],
    ]);
  });

  test('while a container of any state was made from it', () => {
    expect(uses(NOBODY, [A.config.digest])[0]).toEqual(['cilium-abcde', true]);
  });

  test('while the release or the way back from it names it', () => {
    const needed = { release: new Set([B.digestName]), wayBack: new Set([A.digestName]) };
    expect(uses(needed).map(([by]) => by)).toEqual(['way back', 'release', 'last push']);
  });

  test('when nobody can say what needs it', () => {
    expect(uses(undefined).every(([, stays]) => stays)).toBe(true);
    expect(uses(undefined)[0]).toEqual(['unknown', true]);
  });

  test('whatever else is the case, when it is used', () => {
    const names = ALL.map(({ digestName }) => digestName);
    const some = array(constantFrom(...names)).map((list) => new Set(list));
    const containers = uniqueArray(constantFrom(...ALL.map(({ config }) => config.digest)));
    const needed = option(boolean(), { nil: undefined });
    const wrong: string[] = [];
    assert(
      property(some, some, containers, needed, (release, wayBack, ids, asked) => {
        const said = asked === undefined ? undefined : { release, wayBack };
        const made = ids.map((image) => ({ image, pod: 'p' }));
        for (const { id, digestName, stays } of retention(STORE, made, said)) {
          const used = ids.some((other) => other === id);
          const named = release.has(digestName) || wayBack.has(digestName);
          if ((used || said === undefined || named) && !stays) wrong.push(digestName);
        }
      }),
    );
    expect(wrong).toEqual([]);
  });
});

test('images that were not shipped are never spoken of', () => {
  const foreign = { id: `sha256:${'f'.repeat(64)}`, names: ['docker.io/library/a:1'] };
  const cri = [{ ...foreign, pinned: false, size: 1 }];
  expect(retention({ ...STORE, cri }, [], NOBODY)).toEqual([]);
});

describe('a removal', () => {
  const [first] = retention(STORE, [], NOBODY);
  const gone = first === undefined ? [] : [first];

  test('takes the name, and the CRI’s name of the bytes when no other is left', () => {
    const cri = STORE.cri.map((image) => ({ ...image, names: image.names.slice(1) }));
    const images = new Map([...STORE.images]);
    images.set(A.config.digest, {
      ref: A.config.digest,
      digest: A.manifest.digest,
      labels: new Map(),
    });
    expect(removalCommands({ ...STORE, cri, images }, gone)).toEqual([
      ['k3s', 'ctr', '-n', 'k8s.io', 'images', 'rm', '--sync', A.digestName, A.config.digest],
    ]);
  });

  test('leaves the bytes to the other names that they have', () => {
    expect(removalCommands(STORE, gone)[0]?.slice(7)).toEqual([A.digestName]);
  });
});
