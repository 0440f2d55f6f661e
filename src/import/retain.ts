import type { Argv, Remote } from '../core/remote.ts';
import type { CriContainer } from '../facts/cri.ts';
import type { NodeStore } from '../facts/node-store.ts';
import { ctr } from './decode.ts';

/** A shipped image as one node has it. */
export interface KeptImage {
  /** `REPO:TAG-<12 hex>`. */
  readonly digestName: string;
  /** Config digest. */
  readonly id: string;
  /** Bytes of all its layers. */
  readonly size: number;
  readonly pinned: boolean;
  /** What needs it; `nothing` may go, and what nobody could say is `unknown` and stays. */
  readonly usedBy: readonly string[];
  readonly stays: boolean;
}

/** Full image names that the live release and the way back from it name; undefined when unknown. */
export interface NeededNames {
  readonly release: ReadonlySet<string>;
  readonly wayBack: ReadonlySet<string>;
}

/**
 * Which shipped images of a node are needed, and by what: any container, the live release, the last
 * finished revision before it, and the last push (design §8). Images that were not shipped by
 * ciliumship are never spoken of.
 *
 * @param containers of every state
 */
export function retention(
  store: NodeStore,
  containers: readonly CriContainer[],
  needed: NeededNames | undefined,
): readonly KeptImage[] {
  return store.cri.flatMap(({ id, names, size, pinned }) =>
    names
      .filter((name) => isDigestName(name, id))
      .map((digestName) => {
        const pods = containers.filter(({ image }) => image === id).map(({ pod }) => pod);
        const uses = [
          ...new Set(pods),
          ...(isLastPush(store, digestName) ? ['last push'] : []),
          ...(needed?.release.has(digestName) === true ? ['release'] : []),
          ...(needed?.wayBack.has(digestName) === true ? ['way back'] : []),
        ];
        const nobody = needed === undefined ? 'unknown' : 'nothing';
        const usedBy = uses.length > 0 ? uses : [nobody];
        return { digestName, id, size, pinned, usedBy, stays: usedBy[0] !== 'nothing' };
      }),
  );
}

/** The second name that ciliumship gives: only it ends with the image's own digest. */
function isDigestName(name: string, id: string): boolean {
  return name.endsWith(`-${id.slice('sha256:'.length, 'sha256:'.length + 12)}`);
}

/** `REPO:TAG` points where `REPO:TAG-<digest>` does until another image is pushed. */
function isLastPush(store: NodeStore, digestName: string): boolean {
  const name = digestName.slice(0, -'-0123456789ab'.length);
  const now = store.images.get(name)?.digest;
  return now !== undefined && now === store.images.get(digestName)?.digest;
}

/**
 * Takes images off a node: their digest names, and the name that the CRI gave their bytes when no
 * other name is left. Containers keep what they run on; layers go when no image needs them.
 *
 * @param gone of which nothing is needed
 * @throws ShipError `storage`
 */
export async function removeImages(
  remote: Remote,
  store: NodeStore,
  gone: readonly KeptImage[],
  signal: AbortSignal,
): Promise<void> {
  for (const argv of removalCommands(store, gone)) {
    await remote.run(argv, { sudo: true, signal });
  }
}

/** What `removeImages` runs, also for a dry run. */
export function removalCommands(store: NodeStore, gone: readonly KeptImage[]): readonly Argv[] {
  return gone.map(({ digestName, id }) => {
    const others = store.cri.find((image) => image.id === id)?.names ?? [];
    const last = others.every((name) => name === digestName);
    const names = last && store.images.has(id) ? [digestName, id] : [digestName];
    return ctr('images', 'rm', '--sync', ...names);
  });
}
