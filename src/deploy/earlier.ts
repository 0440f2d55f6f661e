import type { Helm, HelmStatus, ReleaseName } from './cluster.ts';
import { finishedBefore, unfinishedRollout, type History } from './history.ts';

/** Where a rollback goes that nobody gave a number. */
export interface Earlier {
  /** Undefined when there is nothing else to go back to. */
  readonly target: HelmStatus | undefined;
  /** Finished revisions that were passed over: they are what runs now. */
  readonly same: readonly number[];
}

/**
 * The last finished revision that differs from what runs: one that was rolled out only to take back
 * what somebody changed by hand is no way back. An unfinished rollout goes back to the last finished
 * one, whatever is in it.
 *
 * @throws ShipError as Helm does
 */
export async function earlierRevision(
  helm: Pick<Helm, 'manifest'>,
  release: ReleaseName,
  history: History,
): Promise<Earlier> {
  const before = finishedBefore(history);
  if (unfinishedRollout(history) !== undefined) return { target: before[0], same: [] };
  const now = (await helm.manifest(release))?.trim();
  const same: number[] = [];
  for (const entry of before) {
    const manifest = await helm.manifest(release, entry.revision);
    if (manifest?.trim() !== now) return { target: entry, same };
    same.push(entry.revision);
  }
  return { target: undefined, same };
}
