import { shortDigest } from '../../core/digest.ts';
import { blobsOf, type ShipImage } from '../../core/image.ts';
import type { Missing } from '../../deploy/gate.ts';
import type { BlobStore } from '../../image/store.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import { lockFleet } from './lock.ts';
import { requireAll } from './report.ts';
import { shipImages } from './ship-images.ts';
import { openBlobStore } from './store.ts';

/**
 * Ships images that an earlier revision needs and nodes no longer have, as far as the blob store
 * still holds them. The plain name of an image, which stands for the last push, stays where it is.
 * In a dry run nothing is sent.
 *
 * @param missing what nodes lack
 * @returns what is not to be had here
 * @throws ShipError `locked`, `network`, `storage`, as shipping does
 */
export async function shipFromStore(
  context: Context,
  fleet: Fleet,
  missing: readonly Missing[],
): Promise<readonly Missing[]> {
  if (missing.length === 0) return [];
  await using store = await openBlobStore(context);
  const images = await heldImages(store, new Set(missing.map(({ image }) => image)));
  const held = new Set(images.map(({ digestName }) => digestName));
  const left = missing.filter(({ image }) => !held.has(image));
  if (images.length === 0 || left.length > 0) return left;
  for (const { image, node } of missing) {
    context.output.note(`${node} lacks ${image}; it is shipped from the blob store first`);
  }
  await using locked = await lockFleet(context, fleet);
  requireAll('rollback', await shipImages(context, locked, images, store));
  return [];
}

/** Images of the store, whole, under the digest names that are wanted. */
async function heldImages(
  store: BlobStore,
  wanted: ReadonlySet<string>,
): Promise<readonly ShipImage[]> {
  const made = await store.images();
  const named = [...wanted].flatMap((name) => {
    const found = made.find(({ config }) => name.endsWith(`-${shortDigest(config.digest)}`));
    return found === undefined ? [] : [{ key: name, name, digestName: name, ...found }];
  });
  const whole = named.map(async (image) =>
    (await Promise.all(blobsOf(image).map((blob) => store.has(blob)))).every(Boolean)
      ? [image]
      : [],
  );
  return (await Promise.all(whole)).flat();
}
