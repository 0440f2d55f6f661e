import { shortDigest, type Digest } from '../core/digest.ts';
import { isBuildOf, runsOf, type ImageProof, type RunningId } from '../core/image.ts';
import { quoteArgv } from '../core/quote.ts';
import { isProved, proofOf, qualified, type NodeImages } from '../facts/node-store.ts';
import { unknownCell, type Cell, type Seen } from './cell.ts';
import { lockedIdentity, type LockedImage } from './lock-file.ts';
import type { ManifestObject } from '../facts/manifest-object.ts';
import { imagesOf } from './objects.ts';

/** A container that names an image of the lock, in any of its builds. */
export interface RunningContainer extends RunningId {
  readonly pod: string;
  readonly namespace: string;
  readonly node: string;
  /** Reference in the pod's spec. */
  readonly image: string;
  /** When its pod was started. */
  readonly started?: string | undefined;
}

/** An image in Docker here, or in an archive. */
export function localCell(
  key: string,
  image: LockedImage,
  local: Seen<ReadonlyMap<string, Digest>>,
): Cell {
  const cell = { what: key, place: 'local', wanted: shortDigest(image.config) } as const;
  if ('why' in local) return unknownCell(cell, local.why);
  const found = local.seen.get(image.name);
  if (found === image.config) return { ...cell, state: 'ok', found: shortDigest(found) };
  const remedy = 'ciliumship push';
  const shown = found === undefined ? 'missing' : shortDigest(found);
  return { ...cell, state: 'drift', found: shown, remedy };
}

/** An image in the store of a node: the digest, and whether it can be run and will stay. */
export function nodeCell(
  key: string,
  image: LockedImage,
  node: string,
  store: Seen<NodeImages>,
): Cell {
  const wanted = shortDigest(image.config);
  const cell = { what: key, place: 'node', node, wanted } as const;
  if ('why' in store) return { ...unknownCell(cell, store.why), node };
  const proof = proofOf(store.seen, lockedIdentity(key, image));
  if (isProved(proof)) return { ...cell, state: 'ok', found: wanted };
  const remedy = `ciliumship push --no-build --nodes ${node}`;
  return { ...cell, state: 'drift', found: foundOn(store.seen, image, proof), remedy };
}

function foundOn(store: NodeImages, image: LockedImage, proof: ImageProof | undefined): string {
  if (proof !== undefined) return lacksOf(proof).join(', ');
  const other = store.cri.find(({ names }) => names.includes(qualified(image.name)));
  if (other !== undefined && other.id !== image.config) return shortDigest(other.id as Digest);
  const named = [image.name, image.digestName].filter((name) => store.checked.has(qualified(name)));
  if (named.length !== 1) return 'missing';
  return `only ${named[0]}`;
}

function lacksOf(proof: ImageProof): readonly string[] {
  const lacks = {
    'not complete': !proof.complete,
    'not unpacked': !proof.unpacked,
    'not pinned': proof.pinned === 'unpinned',
    'not seen by the CRI': !proof.cri,
  };
  return Object.entries(lacks).flatMap(([what, is]) => (is ? [what] : []));
}

/** What containers of an image really run, node by node. Nothing needs to run what was shipped. */
export function runningCells(
  key: string,
  image: LockedImage,
  running: Seen<readonly RunningContainer[]>,
): readonly Cell[] {
  const cell = { what: key, place: 'running', wanted: shortDigest(image.config) } as const;
  if ('why' in running) return [unknownCell(cell, running.why)];
  const own = running.seen.filter((one) => isBuildOf(one.image, image.name));
  return [...Map.groupBy(own, ({ node }) => node)].map(([node, containers]) => {
    const behind = containers.find((one) => isBehind(one, image));
    const unclear = containers.find((one) => runsOf(one, image) !== 'same');
    if (behind !== undefined) {
      return { ...cell, node, ...foundIn(behind, 'drift'), remedy: remedyOf(containers, image) };
    }
    if (unclear !== undefined) return { ...cell, node, ...foundIn(unclear, 'unknown') };
    return { ...cell, node, state: 'ok', found: shortDigest(image.config) };
  });
}

/** What has not started is no drift yet. */
function isBehind(one: RunningContainer, image: LockedImage): boolean {
  return one.imageId !== undefined && runsOf(one, image) === 'other';
}

/**
 * A deploy replaces pods whose spec names another build. One that names the right one was started
 * before the name moved: started anew it runs what the node has now.
 */
function remedyOf(containers: readonly RunningContainer[], image: LockedImage): string {
  const behind = containers.filter((one) => isBehind(one, image));
  const named = behind.every(({ image: name }) => [image.name, image.digestName].includes(name));
  if (!named) return 'ciliumship deploy';
  const [{ namespace } = { namespace: '' }] = behind;
  const pods = [...new Set(behind.map(({ pod }) => pod))];
  return quoteArgv(['kubectl', 'delete', 'pod', '-n', namespace, ...pods]);
}

function foundIn(one: RunningContainer, state: 'drift' | 'unknown') {
  const { imageId, started, byManifest, pod } = one;
  const what = imageId === undefined ? `${pod} has not started` : shortDigest(imageId);
  return {
    state,
    found: byManifest === true ? `manifest ${what}` : what,
    ...(started === undefined ? {} : { since: started }),
  };
}

/** The names by which the live workloads ask for an image. */
export function referenceCells(
  key: string,
  image: LockedImage,
  objects: Seen<readonly ManifestObject[]>,
): readonly Cell[] {
  if ('why' in objects) return [];
  const named = objects.seen.flatMap(imagesOf).filter((name) => isBuildOf(name, image.name));
  if (named.length === 0) return [];
  const wrong = named.filter((name) => name !== image.digestName && name !== image.name);
  const cell = { what: key, place: 'release', wanted: image.digestName } as const;
  if (wrong.length === 0) return [{ ...cell, state: 'ok', found: image.digestName }];
  const found = [...new Set(wrong)].join(', ');
  return [{ ...cell, state: 'drift', found, remedy: 'ciliumship deploy' }];
}
