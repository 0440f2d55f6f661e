import type { Helm, ReleaseName } from './cluster.ts';
import { isToGoBackTo } from './history.ts';
import { workloadsOf } from './manifest.ts';

/** Image names of the live release, and of the last finished revision before it. */
export interface NeededReferences {
  readonly release: readonly string[];
  readonly wayBack: readonly string[];
}

/**
 * What a release needs on the nodes, now and after a rollback.
 *
 * @throws ShipError as Helm does
 */
export async function neededReferences(
  helm: Pick<Helm, 'history' | 'manifest'>,
  release: ReleaseName,
): Promise<NeededReferences> {
  const history = await helm.history(release);
  const live = history.at(-1)?.revision;
  const imagesOf = async (revision: number | undefined): Promise<readonly string[]> => {
    if (revision === undefined) return [];
    const manifest = (await helm.manifest(release, revision)) ?? '';
    return workloadsOf(manifest).flatMap(({ images }) => images.map(({ image }) => image));
  };
  const now = await imagesOf(live);
  // A rollout ends with a second revision of the same images: the way back is to other ones.
  const finished = history.filter(
    (entry) => entry.revision !== live && isToGoBackTo(history, entry),
  );
  for (const { revision } of finished.toReversed()) {
    const images = await imagesOf(revision);
    if (images.toSorted().join() !== now.toSorted().join())
      return { release: now, wayBack: images };
  }
  return { release: now, wayBack: [] };
}
