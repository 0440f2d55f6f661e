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

/** What the config ships. */
const SHIPPED = [A.name];

function uses(needed: NeededNames | undefined, containers: readonly string[] = []) {
  const made = containers.map((image) => ({ image, pod: 'cilium-abcde' }));
  return retention(STORE, made, needed, SHIPPED).map(({ usedBy, stays }) => [usedBy.join(), stays]);
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

  test('however the CRI names what a container was made from', () => {
    const byManifest = `quay.io/cilium/cilium@${A.manifest.digest}`;
    expect(uses(NOBODY, [byManifest])[0]).toEqual(['cilium-abcde', true]);
  });

  test('while the release names it by the name that people use', () => {
    const needed = { release: new Set([A.name]), wayBack: new Set<string>() };
    expect(uses(needed).map(([by]) => by)).toEqual(['nothing', 'nothing', 'last push,release']);
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
        for (const { id, digestName, stays } of retention(STORE, made, said, SHIPPED)) {
          const used = ids.some((other) => other === id);
          const named = release.has(digestName) || wayBack.has(digestName);
          if ((used || said === undefined || named) && !stays) wrong.push(digestName);
        }
      }),
    );
    expect(wrong).toEqual([]);
  });
});

describe('a push under another tag', () => {
  const old = {
    ...A,
    name: 'quay.io/cilium/cilium:old',
    digestName: `quay.io/cilium/cilium:old-${A.config.digest.slice(7, 19)}`,
  };
  const store = nodeWith([old, B]);
  const under = (shipped: readonly string[]) =>
    retention(store, [], NOBODY, shipped).map(({ usedBy }) => usedBy.join());

  test('is superseded by one under the tag of the config, and goes with both of its names', () => {
    expect(under(SHIPPED)).toEqual(['nothing', 'last push']);
    const gone = retention(store, [], NOBODY, SHIPPED).filter(({ stays }) => !stays);
    expect(removalCommands(store, gone).map((argv) => argv.slice(7))).toEqual([
      [old.name, old.digestName],
    ]);
  });

  test('is the last one while the node has none under the tag of the config', () => {
    expect(under(['quay.io/cilium/cilium:new'])).toEqual(['last push', 'last push']);
  });

  test('of the same config is none: it ships both', () => {
    expect(under([old.name, B.name])).toEqual(['last push', 'last push']);
  });

  test('of another config stays: only that one knows its release', () => {
    const found = retention(STORE, [], NOBODY, ['quay.io/other/app:1']);
    expect(found.map(({ usedBy, stays }) => [usedBy.join(), stays])).toEqual([
      ['another config', true],
      ['another config', true],
      ['last push', true],
    ]);
  });
});

test('images that were not shipped are never spoken of', () => {
  const foreign = { id: `sha256:${'f'.repeat(64)}`, names: ['docker.io/library/a:1'] };
  const cri = [{ ...foreign, pinned: false, size: 1 }];
  expect(retention({ ...STORE, cri }, [], NOBODY, SHIPPED)).toEqual([]);
});

describe('a removal', () => {
  const [first] = retention(STORE, [], NOBODY, SHIPPED);
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

  describe('of bytes that were shipped under two tags', () => {
    const other = A.digestName.replace(':dev-', ':old-');
    const images = new Map(
      [A.digestName, other, A.config.digest].map((ref) => [
        ref,
        { ref, digest: A.manifest.digest, labels: new Map() },
      ]),
    );
    const cri = [{ id: A.config.digest, names: [A.digestName, other], pinned: true, size: 1 }];
    const store = { ...STORE, images, cri };
    const removed = (needed: NeededNames): readonly (readonly string[])[] => {
      const found = retention(store, [], needed, SHIPPED);
      const commands = removalCommands(
        store,
        found.filter(({ stays }) => !stays),
      );
      return commands.map((argv) => argv.slice(7));
    };

    test('takes the name that nothing needs, and leaves the bytes', () => {
      expect(removed({ ...NOBODY, wayBack: new Set([other]) })).toEqual([[A.digestName]]);
    });

    test('takes the bytes with the last of the names', () => {
      expect(removed(NOBODY).flat()).toEqual([
        A.digestName,
        A.config.digest,
        other,
        A.config.digest,
      ]);
    });
  });
});
