import { setTimeout as sleep } from 'node:timers/promises';
import { ShipError } from '../../src/core/errors.ts';
import { blobsOf, type ShipImage } from '../../src/core/image.ts';
import { hashFile } from '../../src/image/hash.ts';
import { registerPush } from '../../src/image/needed.ts';
import { pruneStore } from '../../src/image/prune.ts';
import { useStore } from '../../src/image/store-use.ts';
import { openStore, type BlobStore } from '../../src/image/store.ts';
import { selfDescription } from '../../src/system/self.ts';
import { storeImages } from './archives.ts';

/**
 * A process that does with a blob store what a push does, again and again: brings an image, uses it for a
 * while, and prunes all that nobody needs. Called with the folder, a name of its own, how often, and
 * a config that makes its last image needed. Prints what it came to as JSON; ends with 1 when a
 * blob that it uses left.
 */
const [folder = '', name = '', rounds = '1', config] = process.argv.slice(2);
const { signal } = new AbortController();
const self = selfDescription();
const tally = { pruned: 0, refused: 0, needed: [] as string[] };

/** Whether everything may go, or somebody else uses it. */
async function prune(store: BlobStore): Promise<void> {
  try {
    await pruneStore(store, { maxSize: 0, self, signal });
    tally.pruned += 1;
  } catch (error) {
    if (!(error instanceof ShipError) || error.kind !== 'locked') throw error;
    tally.refused += 1;
  }
}

async function requireWhole(store: BlobStore, image: ShipImage): Promise<void> {
  for (const { digest } of blobsOf(image)) {
    const found = await hashFile(store.path(digest));
    if (found.digest !== digest) throw new Error(`${digest} has other bytes`);
  }
}

for (let round = 0; round < Number(rounds); round += 1) {
  const store = await openStore(folder);
  await using uses = new AsyncDisposableStack();
  uses.use(await useStore(store, self, signal));
  const image = { key: name, name: `store.local/${name}:${round}` };
  const [stored] = await storeImages(store, [image]);
  if (stored === undefined) throw new Error('nothing was stored');
  await sleep(Math.random() * 20);
  await requireWhole(store, stored);
  if (config !== undefined) {
    await registerPush(store, { config, lock: `${config}.lock` }, [stored]);
    tally.needed = blobsOf(stored).map(({ digest }) => digest);
  }
  await prune(store);
}
process.stdout.write(JSON.stringify(tally));
