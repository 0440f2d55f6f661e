import { plainName } from '../core/image.ts';
import type { Argv, Remote } from '../core/remote.ts';
import type { CriContainer } from '../facts/cri.ts';
import type { NodeImages } from '../facts/node-store.ts';
import { ctr } from './decode.ts';

/** A shipped image as one node has it. */
export interface KeptImage {
  /** `REPO:TAG-<12 hex>`. */
  readonly digestName: string;
  /** All that it is called by us: its digest name, and `REPO:TAG` while that is it. */
  readonly names: readonly string[];
  /** Config digest. */
  readonly id: string;
  /** Bytes of all its layers. */
  readonly size: number;
  readonly pinned: boolean;
  /** What needs it; `nothing` may go, and what nobody could say is `unknown` and stays. */
  readonly usedBy: readonly string[];
  readonly stays: boolean;
}

const NOTHING = 'nothing';

/** Full image names that the live release and the way back from it name; undefined when unknown. */
export interface NeededNames {
  readonly release: ReadonlySet<string>;
  readonly wayBack: ReadonlySet<string>;
}

/**
 * Which shipped images of a node are needed, and by what: any container, the live release, the last
 * finished revision before it, and the last push (design §8). Images that were not shipped by
 * ciliumship are never spoken of; what is shipped by another config stays, for only that one knows
 * its release.
 *
 * @param containers of every state
 * @param shipped full names that the config ships: `REPO:TAG`
 */
export function retention(
  store: NodeImages,
  containers: readonly CriContainer[],
  needed: NeededNames | undefined,
  shipped: readonly string[],
): readonly KeptImage[] {
  return store.cri.flatMap((image) =>
    image.names
      .filter((name) => isDigestName(name, image.id))
      .map((digestName) => {
        const names = namesOf(store, digestName);
        const uses = [
          ...podsOf(containers, [image.id, store.images.get(digestName)?.digest]),
          ...(isLastPush(store, names, shipped) ? ['last push'] : []),
          ...(names.some((name) => needed?.release.has(name)) ? ['release'] : []),
          ...(names.some((name) => needed?.wayBack.has(name)) ? ['way back'] : []),
        ];
        const usedBy = uses.length > 0 ? uses : [nobody(digestName, needed, shipped)];
        const { id, size, pinned } = image;
        return { digestName, names, id, size, pinned, usedBy, stays: usedBy[0] !== NOTHING };
      }),
  );
}

/** Pods with a container of an image, by any of its digests. */
function podsOf(
  containers: readonly CriContainer[],
  digests: readonly (string | undefined)[],
): ReadonlySet<string> {
  const made = containers.filter(({ image }) => digests.includes(image.replace(/^.*@/, '')));
  return new Set(made.map(({ pod }) => pod));
}

/** What is said of an image without a use that we know. */
function nobody(
  digestName: string,
  needed: NeededNames | undefined,
  shipped: readonly string[],
): string {
  const isOurs = shipped.some((name) => repositoryOf(name) === repositoryOf(digestName));
  if (!isOurs) return 'another config';
  return needed === undefined ? 'unknown' : NOTHING;
}

/** The second name that ciliumship gives: only it ends with the image's own digest. */
function isDigestName(name: string, id: string): boolean {
  return name.endsWith(`-${id.slice('sha256:'.length, 'sha256:'.length + 12)}`);
}

/** `REPO:TAG` points where `REPO:TAG-<digest>` does until another image is pushed. */
function namesOf({ images }: NodeImages, digestName: string): readonly string[] {
  const name = plainName(digestName);
  const now = images.get(name)?.digest;
  const isIt = now !== undefined && now === images.get(digestName)?.digest;
  return isIt ? [name, digestName] : [digestName];
}

/** What has the name that the config ships; of a repository that has none of these, any name. */
function isLastPush(
  { images }: NodeImages,
  [name = '', digestName]: readonly string[],
  shipped: readonly string[],
): boolean {
  if (digestName === undefined) return false;
  const others = shipped.filter((other) => repositoryOf(other) === repositoryOf(name));
  return others.includes(name) || !others.some((other) => images.has(other));
}

function repositoryOf(name: string): string {
  return name.slice(0, name.lastIndexOf(':'));
}

/**
 * Takes images off a node: our names of them, and the one that the CRI gave their bytes when no
 * other is left. Containers keep what they run on; layers go when no image needs them.
 *
 * @param gone of which nothing is needed
 * @throws ShipError `storage`
 */
export async function removeImages(
  remote: Remote,
  store: NodeImages,
  gone: readonly KeptImage[],
  signal: AbortSignal,
): Promise<void> {
  for (const argv of removalCommands(store, gone)) {
    await remote.run(argv, { sudo: true, signal });
  }
}

/** What `removeImages` runs, also for a dry run. */
export function removalCommands(store: NodeImages, gone: readonly KeptImage[]): readonly Argv[] {
  const going = new Set(gone.flatMap(({ names }) => names));
  return gone.map(({ names, id }) => {
    const known = store.cri.find((image) => image.id === id)?.names ?? [];
    const isLast = known.every((name) => going.has(name)) && store.images.has(id);
    return ctr('images', 'rm', '--sync', ...names, ...(isLast ? [id] : []));
  });
}
