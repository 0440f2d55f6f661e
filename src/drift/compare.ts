import { shortDigest, type Digest } from '../core/digest.ts';
import { isBuildOf, type ShipImage } from '../core/image.ts';
import { isProved, proofOf, qualified, type NodeStore } from '../facts/node-store.ts';
import type { LockedImage, ShipLock } from './lock-file.ts';

/** One thing that the lock says, at one place where it can be seen. */
export interface Cell {
  /** Image key, or `values`, `manifest`. */
  readonly what: string;
  /** `local`, a node, `running`, `release`. */
  readonly place: string;
  /** What nobody could look at is unknown, and never ok. */
  readonly state: 'ok' | 'drift' | 'unknown';
  readonly wanted: string;
  readonly found: string;
  /** The command that mends it. */
  readonly remedy?: string;
}

/** A container that names an image of the lock, in any of its builds. */
export interface RunningContainer {
  readonly pod: string;
  readonly node: string;
  /** Reference in the pod's spec. */
  readonly image: string;
  readonly imageId: Digest | undefined;
}

/** What the release is now; digests as the lock takes them. */
export interface LiveRelease {
  readonly revision: number;
  readonly values: Digest;
  readonly manifest: Digest;
  /** References of every container of the manifest. */
  readonly images: readonly string[];
  /** `ConfigMap cilium-config: data.mtu by kubectl-edit`. */
  readonly edits: readonly string[];
  /** `label hw-profile of worker`: what a deploy would set on nodes and in CiliumNodeConfigs. */
  readonly open: readonly string[];
}

/** Everything that was looked at; an undefined part could not be asked, with the reason. */
export interface Observed {
  /** Image name → config digest in Docker; undefined when Docker does not answer. */
  readonly local: ReadonlyMap<string, Digest> | undefined;
  readonly nodes: ReadonlyMap<string, NodeStore | undefined>;
  readonly running: readonly RunningContainer[] | undefined;
  /** `none` before a first install. */
  readonly release: LiveRelease | 'none' | undefined;
}

/** Compares what the lock says with what was seen at every place. */
export function compare(lock: ShipLock, seen: Observed): readonly Cell[] {
  const images = Object.entries(lock.images);
  return [
    ...images.flatMap(([key, image]) => [
      localCell(key, image, seen.local),
      ...[...seen.nodes].map(([node, store]) => nodeCell(key, image, node, store)),
      ...runningCells(key, image, seen.running),
      ...releaseCells(key, image, lock, seen.release),
    ]),
    ...wholeRelease(lock, seen.release),
  ];
}

function localCell(key: string, image: LockedImage, local: Observed['local']): Cell {
  const found = local?.get(image.name);
  const cell = { what: key, place: 'local', wanted: shortDigest(image.config) };
  if (local === undefined) return { ...cell, state: 'unknown', found: 'Docker does not answer' };
  if (found === image.config) return { ...cell, state: 'ok', found: shortDigest(found) };
  const remedy = 'ciliumship build, or ciliumship push for a new lock';
  return {
    ...cell,
    state: 'drift',
    found: found === undefined ? 'missing' : shortDigest(found),
    remedy,
  };
}

function nodeCell(
  key: string,
  image: LockedImage,
  node: string,
  store: NodeStore | undefined,
): Cell {
  const cell = { what: key, place: node, wanted: shortDigest(image.config) };
  if (store === undefined) return { ...cell, state: 'unknown', found: 'unreachable' };
  const proof = proofOf(store, asShipImage(key, image));
  if (isProved(proof)) return { ...cell, state: 'ok', found: shortDigest(image.config) };
  const remedy = `ciliumship push --no-build --nodes ${node}`;
  return { ...cell, state: 'drift', found: foundOn(store, image, proof), remedy };
}

function foundOn(store: NodeStore, image: LockedImage, proof: ReturnType<typeof proofOf>): string {
  if (proof !== undefined) {
    const lacks = {
      'not complete': !proof.complete,
      'not unpacked': !proof.unpacked,
      'not pinned': proof.pinned === 'unpinned',
      'not seen by the CRI': !proof.cri,
    };
    return Object.entries(lacks)
      .flatMap(([what, is]) => (is ? [what] : []))
      .join(', ');
  }
  const other = store.cri.find(({ names }) => names.includes(qualified(image.name)));
  return other === undefined || other.id === image.config
    ? 'missing'
    : shortDigest(other.id as Digest);
}

/** Proofs are about images; a lock holds all of one that they look at. */
function asShipImage(key: string, image: LockedImage): ShipImage {
  const blob = (kind: 'config' | 'manifest', of: Digest) => ({ kind, digest: of, size: 0 });
  return {
    key,
    name: image.name,
    digestName: image.digestName,
    platform: 'linux/amd64',
    config: blob('config', image.config),
    manifest: blob('manifest', image.manifest),
    layers: [],
  };
}

function runningCells(
  key: string,
  image: LockedImage,
  running: Observed['running'],
): readonly Cell[] {
  const cell = { what: key, place: 'running', wanted: shortDigest(image.config) };
  if (running === undefined) return [{ ...cell, state: 'unknown', found: 'cluster unreachable' }];
  const own = running.filter((one) => isBuildOf(one.image, image.name));
  // Nothing needs to run an image that was only shipped.
  if (own.length === 0) return [];
  const behind = own.filter(({ imageId }) => imageId !== image.config);
  if (behind.length === 0)
    return [{ ...cell, state: 'ok', found: `${own.length} of ${own.length}` }];
  const found = behind
    .map(
      ({ node, imageId }) =>
        `${imageId === undefined ? 'nothing' : shortDigest(imageId)} on ${node}`,
    )
    .join(', ');
  return [{ ...cell, state: 'drift', found, remedy: 'ciliumship deploy' }];
}

function releaseCells(
  key: string,
  image: LockedImage,
  lock: ShipLock,
  release: Observed['release'],
): readonly Cell[] {
  if (lock.release === undefined) return [];
  const cell = { what: key, place: 'release', wanted: shortDigest(image.config) };
  if (release === undefined) return [{ ...cell, state: 'unknown', found: 'cluster unreachable' }];
  if (release === 'none') return [];
  const named = release.images.filter((reference) => isBuildOf(reference, image.name));
  const wrong = named.filter(
    (reference) => reference !== image.digestName && reference !== image.name,
  );
  if (named.length === 0) return [];
  if (wrong.length === 0) return [{ ...cell, state: 'ok', found: 'named' }];
  return [{ ...cell, state: 'drift', found: wrong.join(', '), remedy: 'ciliumship deploy' }];
}

function wholeRelease(lock: ShipLock, release: Observed['release']): readonly Cell[] {
  const wanted = lock.release;
  if (wanted === undefined) return [];
  const place = 'release';
  const remedy = 'ciliumship deploy';
  if (release === undefined) {
    return [
      {
        what: 'values',
        place,
        state: 'unknown',
        wanted: shortDigest(wanted.values),
        found: 'cluster unreachable',
      },
    ];
  }
  if (release === 'none') {
    return [
      {
        what: 'values',
        place,
        state: 'drift',
        wanted: `revision ${wanted.revision}`,
        found: 'not installed',
        remedy,
      },
    ];
  }
  const cell = { place, state: 'drift' } as const;
  return [
    valuesCell(wanted, release),
    digestCell('manifest', wanted.manifest, release.manifest),
    ...release.edits.map((found) => ({
      ...cell,
      what: 'objects',
      wanted: 'as Helm applied them',
      found,
      remedy: found.endsWith(': deleted')
        ? remedy
        : `kubectl edit ${found.split(':')[0]?.toLowerCase().replace(' ', '/')}   (take that back)`,
    })),
    ...release.open.map((found) => ({
      ...cell,
      what: 'nodes',
      wanted: 'as configured',
      found,
      remedy,
    })),
  ];
}

/** Values that render to the same manifest do nothing, and no deploy would change them. */
function valuesCell(wanted: NonNullable<ShipLock['release']>, release: LiveRelease): Cell {
  const cell = digestCell('values', wanted.values, release.values);
  if (cell.state === 'ok' || wanted.manifest !== release.manifest) return cell;
  const { what, place, wanted: said } = cell;
  return { what, place, wanted: said, state: 'ok', found: 'others, to the same manifest' };
}

function digestCell(what: string, wanted: Digest, found: Digest): Cell {
  const cell = { what, place: 'release', wanted: shortDigest(wanted), found: shortDigest(found) };
  return wanted === found
    ? { ...cell, state: 'ok' }
    : { ...cell, state: 'drift', remedy: 'ciliumship deploy' };
}
