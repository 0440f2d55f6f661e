import { beforeEach, describe, expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import type { ImageProof } from '../../../src/core/image.ts';
import type { Remote } from '../../../src/core/remote.ts';
import type { Run } from '../../../src/core/step.ts';
import type { CheckedName } from '../../../src/facts/containerd.ts';
import { INBOX, LAYOUT } from '../../../src/facts/node-paths.ts';
import { importStep } from '../../../src/import/import.ts';
import { fakeNode, type Answer, type FakeNode } from '../../support/fake-node.ts';
import {
  IMAGE,
  importOn,
  kindOf,
  LOOKS,
  sendWhole,
  STAGED,
  STAGING,
} from '../../support/import-run.ts';
import { digestOf, EMPTY_NODE, nodeWith, shipImage } from '../../support/values.ts';

let controller: AbortController;
beforeEach(() => {
  controller = new AbortController();
});

describe('an import', () => {
  test('D15: stages, proves, drops its blobs, syncs, names, pins, unstages and cleans up, in this order', async () => {
    const { kinds, outcome } = await importOn(STAGED);
    const order = ['import', 'drop blobs', 'sync', 'tag', 'pin', 'pin', 'unstage', 'clean up'];
    expect(kinds).toEqual(order);
    expect(outcome).toMatchObject([
      { key: 'cilium', complete: true, pinned: 'pinned', cri: true },
    ] satisfies Partial<ImageProof>[]);
  });

  test('gives both final names to what was staged, in one command', async () => {
    const { node } = await importOn(STAGED);
    const tag = node.asked.find((command) => kindOf(command) === 'tag');
    expect(tag).toMatch(new RegExp(`${STAGING} ${IMAGE.name} ${IMAGE.digestName}$`));
  });

  test('plans each of its commands without running one', () => {
    const node = fakeNode();
    const tools = {
      remote: node,
      probe: async () => EMPTY_NODE,
      token: 't1',
      maxRate: undefined,
      sendWhole,
      requireLock: async () => {},
      unheld: node,
      keepLock: () => undefined,
    };
    const plan = { node: 'worker', images: [IMAGE], sent: [] };
    expect(importStep(plan, tools).plan?.()).toHaveLength(9);
    expect(node.asked).toEqual([]);
  });
});

describe('no final name moves', () => {
  test.each([
    ['is incomplete', { ...STAGED, complete: false }, 'storage'],
    ['is not unpacked', { ...STAGED, unpacked: false }, 'storage'],
    ['is another image', { ...STAGED, digest: digestOf('other') }, 'integrity'],
    ['is not there', undefined, 'integrity'],
  ])('when the staged image %s', async (_, staged, kind) => {
    const { kinds, outcome } = await importOn(staged);
    expect(outcome).toMatchObject({ kind, retryable: true });
    expect(kinds).toEqual(['import', 'unstage']);
  });

  test('F27: when ctr fails, and the staging name goes all the same', async () => {
    const { kinds, outcome } = await importOn(STAGED, { import: { code: 1 } });
    expect(outcome).toMatchObject({ kind: 'storage' });
    expect(kinds).toEqual(['import', 'end import', 'unstage']);
  });

  test('when the command is interrupted; the staging name goes all the same', async () => {
    const interrupt = (): Answer => {
      controller.abort(new Error('interrupted'));
      return '';
    };
    const { kinds, outcome } = await importOn(STAGED, { import: interrupt }, EMPTY_NODE, {
      signal: controller.signal,
    });
    expect(outcome).toMatchObject({ message: 'interrupted' });
    expect(kinds.filter((kind) => kind === 'tag' || kind === 'pin')).toEqual([]);
    expect(kinds.at(-1)).toBe('unstage');
  });
});

describe('F16: an import whose command was given up', () => {
  const givenUp = new ShipError('network', 'worker: gave up waiting for the command');

  test('is over on the node before its staging name goes and the node is given back', async () => {
    const { kinds, outcome, kept, node } = await importOn(STAGED, { import: givenUp });
    expect(outcome).toBe(givenUp);
    expect(kinds).toEqual(['import', 'end import', 'unstage']);
    expect(kept).toEqual([]);
    const [begun, ended] = ['import', 'end import'].map((kind) =>
      node.asked.find((command) => kindOf(command) === kind),
    );
    const token = /\S+-first/.exec(begun ?? '')?.[0] ?? 'none';
    expect(ended).toMatch(new RegExp(` ${token}$`));
  });

  test.each([
    ['that does not end', { code: 70, stdout: '4711\n' }, 'still runs there (process 4711)'],
    ['of which nobody knows', new ShipError('network', 'worker: the connection was lost'), 'lost'],
  ])('and %s leaves the node locked', async (_, answer, why) => {
    const ends = { import: givenUp, 'end import': answer };
    const { outcome, kept } = await importOn(STAGED, ends);
    expect(outcome).toBe(givenUp);
    expect(kept).toMatchObject([{ message: expect.stringContaining(why) }]);
  });

  test('because the node was lost to another run takes its own staging name with it, and no more', async () => {
    const lost = new ShipError('locked', 'worker: taken over');
    // What is asked of the node that we hold, after the import was given up.
    const hold = (node: FakeNode): Remote => ({
      ...node,
      run: async (argv, options) => {
        if (argv.includes('rm') && argv.includes(STAGING)) throw lost;
        return node.run(argv, options);
      },
    });
    const { kinds, outcome, kept, node } = await importOn(STAGED, { import: lost }, EMPTY_NODE, {
      hold,
    });
    expect(outcome).toBe(lost);
    expect(kept).toEqual([]);
    expect(kinds).toEqual(['import', 'end import', 'unstage']);
    expect(node.asked.at(-1)).toBe(`sudo k3s ctr -n k8s.io images rm ${STAGING}`);
  });
});

test('no name moves on a node whose lock was taken over', async () => {
  const lost = async (): Promise<never> => {
    throw new Error('taken over');
  };
  const { kinds, outcome } = await importOn(STAGED, {}, EMPTY_NODE, { requireLock: lost });
  expect(outcome).toMatchObject({ message: 'taken over' });
  expect(kinds).toEqual(['import', 'drop blobs', 'sync', 'unstage']);
});

test('an interruption between the names waits until all of them moved', async () => {
  const interrupt = (): Answer => {
    controller.abort(new Error('interrupted'));
    return '';
  };
  const { kinds, node } = await importOn(STAGED, { tag: interrupt }, EMPTY_NODE, {
    signal: controller.signal,
  });
  expect(kinds.slice(-4)).toEqual(['tag', 'pin', 'pin', 'unstage']);
  const pinned = node.asked.filter((command) => kindOf(command) === 'pin');
  expect(pinned.map((command) => command.split(' ').at(-2))).toEqual([
    IMAGE.name,
    IMAGE.digestName,
  ]);
});

describe('F28: a node on which an import failed', () => {
  const df = (free: number): string => `a\n/dev/sda 1 1 ${free} 1% /\n`;
  const LEASES = 'ID CREATED AT LABELS\ngone 2026-01-01T00:00:01Z containerd.io/gc.expire=x\n';
  const failing = (free: number) => ({
    import: { code: 1, stderr: 'no space left on device' },
    'look for room': df(free),
    'look for killed': String(Date.parse('2026-01-01T00:00:00Z') / 1000),
    'list leases': LEASES,
  });

  test('and whose disk is full gets back what was decoded and half imported', async () => {
    const { outcome, node } = await importOn(STAGED, failing(10));
    expect(outcome).toMatchObject({ kind: 'storage' });
    const after = node.asked.slice(node.asked.findIndex((command) => / df /.test(command)));
    expect(after.map(kindOf)).toEqual([
      ...['look for room', 'look for killed', 'list leases', 'drop lease'],
      ...['clean up', 'unstage'],
    ]);
    expect(after.at(-2)).toBe(`sudo rm -rf --one-file-system ${LAYOUT}`);
  });

  test('and that has room keeps everything for the next run', async () => {
    const { node } = await importOn(STAGED, failing(1e12));
    const kinds = node.asked.map(kindOf);
    expect(kinds.slice(kinds.indexOf('look for room'))).toEqual(['look for room', 'unstage']);
  });
});

test('the clean-up takes the layout and the inbox, and stays on their file system', async () => {
  const { node } = await importOn(STAGED);
  expect(node.asked.at(-1)).toBe(`sudo rm -rf --one-file-system ${LAYOUT} ${INBOX}`);
});

test('the staging name goes when naming fails, and its own failure hides nothing', async () => {
  const { kinds, outcome } = await importOn(STAGED, { tag: { code: 1 }, unstage: { code: 9 } });
  expect((outcome as Error).message).toContain('images tag');
  expect(kinds.at(-1)).toBe('unstage');
});

describe('an import of two images', () => {
  const OPERATOR = shipImage('operator-generic', ['base', 'operator']);
  const IMAGES = [IMAGE, OPERATOR];
  const stagingOf = ({ config }: typeof IMAGE): string =>
    `ciliumship.local/staging/${config.digest.slice(7, 19)}:t1`;

  /** @param whole how many of the images containerd has whole after they were staged */
  async function importBoth(whole: number) {
    let store = EMPTY_NODE;
    const node = fakeNode((command) => {
      const staged = IMAGES.map((image, index): [string, CheckedName] => {
        const { digest } = image.manifest;
        const ref = stagingOf(image);
        return [ref, { ref, digest, complete: true, unpacked: index < whole }];
      });
      if (/ import /.test(command)) store = { ...EMPTY_NODE, checked: new Map(staged) };
      if (command.endsWith('=pinned')) store = nodeWith(IMAGES);
      return undefined;
    });
    const tools = {
      remote: node,
      probe: async () => store,
      token: 't1',
      maxRate: undefined,
      sendWhole,
      requireLock: async () => {},
      unheld: node,
      keepLock: () => undefined,
    };
    const step = importStep({ node: 'worker', images: IMAGES, sent: [] }, tools);
    const run: Run = { signal: controller.signal, progress: () => undefined };
    const outcome: unknown = await step.run(run).catch((error: unknown) => error);
    const kinds = node.asked.map((command) =>
      / images rm .*ciliumship.local.staging/.test(command) ? 'unstage' : kindOf(command),
    );
    return { outcome, kinds: kinds.filter((kind) => !LOOKS.has(kind)) };
  }

  test('stages both before the one sync, and names both only then', async () => {
    const { outcome, kinds } = await importBoth(2);
    expect(outcome).toMatchObject([{ key: 'cilium' }, { key: 'operator-generic' }]);
    const naming = ['tag', 'pin', 'pin', 'tag', 'pin', 'pin'];
    const ending = ['unstage', 'unstage', 'clean up'];
    expect(kinds).toEqual(['import', 'import', 'drop blobs', 'sync', ...naming, ...ending]);
  });

  test('names none when the second is not proved', async () => {
    const { outcome, kinds } = await importBoth(1);
    expect(outcome).toMatchObject({
      kind: 'storage',
      message: expect.stringContaining('operator'),
    });
    expect(kinds).toEqual(['import', 'import', 'unstage', 'unstage']);
  });
});
