import { readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Holder, Self } from '../../../src/core/lock.ts';
import { blobsOf, type ShipImage } from '../../../src/core/image.ts';
import { registerPush, type Project } from '../../../src/image/needed.ts';
import { dropBlobs, pruneStore, storeSize, type PrunedStore } from '../../../src/image/prune.ts';
import { openStore, type BlobStore } from '../../../src/image/store.ts';
import { touchImages, useStore } from '../../../src/image/store-use.ts';
import { testFolder } from '../../support/folder.ts';
import { digestOf, shipImage } from '../../support/values.ts';

const { signal } = new AbortController();
const SELF = selfOf(7);
const WATCHING = { still: 50, pause: 5, prompt: true };

/** Process `pid` of one machine, on which only the processes 7 and 8 live. */
function selfOf(pid: number): Self {
  const holder = { machine: 'boot-1', host: 'here', pid, user: 'ann' };
  return { holder, isAlive: (other) => other === 7 || other === 8 };
}

let folder: string;
let store: BlobStore;
beforeEach(async () => {
  folder = testFolder();
  store = await openStore(join(folder, 'store'));
});

/** Puts an image of two layers into the store, last used `age` seconds ago. */
async function keep(key: string, age: number): Promise<ShipImage> {
  const image = shipImage(key, ['base', `programs of ${key}`]);
  const over = `${key} over base,programs of ${key}`;
  const texts = ['base', `programs of ${key}`, `config of ${over}`, `manifest of ${over}`];
  for (const text of texts) await store.put(digestOf(text), Readable.from([text]));
  await store.remember(digestOf(key), image);
  const used = Date.now() / 1000 - age;
  for (const { digest } of blobsOf(image)) utimesSync(store.path(digest), used, used);
  return image;
}

const prune = (maxSize: number, self = SELF): Promise<PrunedStore> =>
  pruneStore(store, { maxSize, self, signal, watching: WATCHING });

async function isWhole(image: ShipImage): Promise<boolean> {
  return (await Promise.all(blobsOf(image).map((blob) => store.has(blob)))).every(Boolean);
}

/** A project whose config, and maybe lock file, is there. */
function projectWith(lock?: string): Project {
  const project = {
    config: join(folder, 'ciliumship.yaml'),
    lock: join(folder, 'ciliumship.lock'),
  };
  writeFileSync(project.config, 'version: 1');
  if (lock !== undefined) writeFileSync(project.lock, lock);
  return project;
}

describe('pruning', () => {
  test('removes nothing while the store is within its limit', async () => {
    const image = await keep('cilium', 100);
    const size = await storeSize(store);
    expect(await prune(size)).toEqual({ removed: 0, freed: 0, size });
    expect(await isWhole(image)).toBe(true);
  });

  test('takes what was used longest ago, and stops at the limit', async () => {
    const old = await keep('old', 300);
    const young = await keep('young', 100);
    const size = await storeSize(store);
    const pruned = await prune(size - 1);
    expect(pruned).toMatchObject({ removed: 1, size: size - pruned.freed });
    expect(await isWhole(old)).toBe(false);
    expect(await isWhole(young)).toBe(true);
    expect(await store.recall(digestOf('old'))).toBeUndefined();
    expect(readdirSync(join(store.folder, 'made'))).toHaveLength(1);
  });

  test('takes last what was used again', async () => {
    const old = await keep('old', 300);
    const young = await keep('young', 100);
    await touchImages(store, [old]);
    await prune((await storeSize(store)) - 1);
    expect([await isWhole(old), await isWhole(young)]).toEqual([true, false]);
  });

  test('takes wire forms too, which can be made again', async () => {
    const image = await keep('cilium', 0);
    const wire = join(store.folder, 'wire');
    await mkdir(wire);
    writeFileSync(join(wire, `${digestOf('base').slice(7)}.zst`), 'compressed');
    utimesSync(join(wire, `${digestOf('base').slice(7)}.zst`), 1, 1);
    await prune((await storeSize(store)) - 1);
    expect(readdirSync(wire)).toEqual([]);
    expect(await isWhole(image)).toBe(true);
  });

  test('never takes what a project pushed last, even over the limit', async () => {
    const pushed = await keep('pushed', 300);
    const other = await keep('other', 0);
    await registerPush(store, projectWith(), [pushed]);
    const { size } = await prune(0);
    expect([await isWhole(pushed), await isWhole(other)]).toEqual([true, false]);
    expect(size).toBe(await storeSize(store));
  });

  test('never takes an older image that the lock file of a project names', async () => {
    const deployed = await keep('deployed', 300);
    const pushed = await keep('pushed', 200);
    const project = projectWith(`images: { cilium: ${deployed.config.digest} }`);
    await registerPush(store, project, [pushed]);
    await prune(0);
    expect([await isWhole(deployed), await isWhole(pushed)]).toEqual([true, true]);
  });

  test.each(['config', 'lock'] as const)(
    'takes what a project needed whose %s is gone',
    async (file) => {
      const project = projectWith('images: {}');
      const pushed = await keep('pushed', 300);
      await registerPush(store, project, [pushed]);
      rmSync(project[file]);
      await prune(0);
      expect(await isWhole(pushed)).toBe(false);
      expect(readdirSync(join(store.folder, 'needed'))).toEqual([]);
    },
  );

  test('leaves no lock behind', async () => {
    await prune(0);
    expect(readdirSync(store.folder)).not.toContain('lock');
  });
});

/** A mark as a process of another time or machine left it. */
function leaveMark(path: string, holder: Partial<Holder>): void {
  const text = JSON.stringify({ id: 'x', ...SELF.holder, host: 'there', user: 'bob', ...holder });
  writeFileSync(path, text);
}

describe('what filled the disk', () => {
  const drop = async ({ layers }: ShipImage): Promise<void> =>
    dropBlobs(
      store,
      layers.map(({ digest }) => digest),
      { self: SELF, signal, watching: WATCHING },
    );

  test('F8: goes again', async () => {
    const image = await keep('cilium', 0);
    await using ours = await useStore(store, SELF, signal);
    await drop(image);
    expect(ours).toBeDefined();
    const left = await Promise.all(image.layers.map((blob) => store.has(blob)));
    expect(left).toEqual([false, false]);
  });

  test('F8: stays while another process uses the store, which may count on it', async () => {
    const image = await keep('cilium', 0);
    await using theirs = await useStore(store, selfOf(8), signal);
    await drop(image);
    expect(theirs).toBeDefined();
    expect(await isWhole(image)).toBe(true);
  });

  test('F8: stays when a project needs it by now', async () => {
    const image = await keep('cilium', 0);
    await registerPush(store, projectWith(), [image]);
    await drop(image);
    expect(await isWhole(image)).toBe(true);
  });
});

describe('a store that others use', () => {
  test('is not pruned while another process uses it, but while we do ourselves', async () => {
    const image = await keep('cilium', 100);
    await using ours = await useStore(store, SELF, signal);
    const theirs = await useStore(store, selfOf(8), signal);
    await expect(prune(0)).rejects.toMatchObject({
      kind: 'locked',
      message: expect.stringContaining('ann@here (process 8) uses it') as string,
    });
    expect(await isWhole(image)).toBe(true);
    await theirs[Symbol.asyncDispose]();
    expect((await prune(0)).removed).toBe(4);
    expect(ours).toBeDefined();
  });

  test('is pruned when its other user is a dead process of this machine', async () => {
    await keep('cilium', 100);
    await mkdir(join(store.folder, 'users'));
    leaveMark(join(store.folder, 'users', 'killed'), { pid: 9 });
    expect((await prune(0)).removed).toBe(4);
    expect(readdirSync(join(store.folder, 'users'))).toEqual([]);
  });

  test('is pruned when the heartbeat of another machine stands still', async () => {
    await keep('cilium', 100);
    await mkdir(join(store.folder, 'users'));
    leaveMark(join(store.folder, 'users', 'far'), { machine: 'boot-2', pid: 7 });
    expect((await prune(0)).removed).toBe(4);
  });

  test('is not pruned when the heartbeat of another machine goes on', async () => {
    await keep('cilium', 100);
    await mkdir(join(store.folder, 'users'));
    const mark = join(store.folder, 'users', 'far');
    leaveMark(mark, { machine: 'boot-2' });
    let beats = 0;
    const beat = setInterval(() => utimesSync(mark, (beats += 1), beats), 1);
    const pruning = pruneStore(store, {
      maxSize: 0,
      self: SELF,
      signal,
      watching: { ...WATCHING, still: 30_000 },
    });
    await expect(pruning).rejects.toMatchObject({ kind: 'locked' });
    clearInterval(beat);
  });

  test('is not pruned by two at once, and the lock of a dead one is taken over', async () => {
    await keep('cilium', 100);
    const lock = join(store.folder, 'lock');
    leaveMark(lock, { pid: 8 });
    await expect(prune(0)).rejects.toThrow(/bob@there \(process 8\) prunes it/);
    leaveMark(lock, { pid: 9 });
    expect((await prune(0)).removed).toBe(4);
    expect(readdirSync(store.folder)).not.toContain('lock');
  });

  test('is waited for while it is pruned', async () => {
    const lock = join(store.folder, 'lock');
    leaveMark(lock, { pid: 8 });
    let using = false;
    const use = useStore(store, SELF, signal).then((held) => {
      using = true;
      return held;
    });
    await expect.poll(() => readdirSync(join(store.folder, 'users')).length).toBe(1);
    expect(using).toBe(false);
    rmSync(lock);
    await using held = await use;
    expect(held).toBeDefined();
  });

  test('is left by a run that is interrupted while it waits', async () => {
    leaveMark(join(store.folder, 'lock'), { pid: 8 });
    const stop = new AbortController();
    const use = useStore(store, SELF, stop.signal);
    await expect.poll(() => readdirSync(store.folder).includes('users')).toBe(true);
    stop.abort();
    await expect(use).rejects.toMatchObject({ name: 'AbortError' });
    expect(readdirSync(join(store.folder, 'users'))).toEqual([]);
  });

  test('is pruned no further by one whose lock was taken over', async () => {
    await keep('one', 300);
    await keep('two', 100);
    const stolen: BlobStore = {
      ...store,
      images: async () => {
        leaveMark(join(store.folder, 'lock'), { pid: 8 });
        return store.images();
      },
    };
    const pruning = pruneStore(stolen, { maxSize: 0, self: SELF, signal, watching: WATCHING });
    await expect(pruning).rejects.toMatchObject({ kind: 'locked' });
    expect(readdirSync(join(store.folder, 'blobs', 'sha256'))).toHaveLength(7);
    expect(readdirSync(store.folder)).toContain('lock');
  });
});
