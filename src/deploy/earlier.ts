import { sameManifest } from '../core/manifest.ts';
import type { Helm, HelmStatus, ReleaseName } from './cluster.ts';
import {
  beforeFailedRollbacks,
  finishedBefore,
  lastFinished,
  unfinishedRollout,
  type History,
} from './history.ts';
import { sameSettings, type NodeSettings } from './node-record.ts';
import type { Unfinished } from './unfinished.ts';

/** Where a rollback goes that nobody gave a number. */
export interface Earlier {
  /** Undefined when there is nothing else to go back to. */
  readonly target: HelmStatus | undefined;
  /** Finished revisions that were passed over: they are what runs now. */
  readonly same: readonly number[];
}

/**
 * The last finished revision that differs from what runs, in what Helm applied or in what the nodes
 * were told beside it: one that was rolled out only to take back what somebody changed by hand is no
 * way back. A rollback that was not finished goes on to where it went, and one that Helm failed over
 * is begun again. An unfinished rollout goes back to the last finished one, whatever is in it.
 *
 * @param open what unfinishedWork found
 * @param settingsAt what the nodes were told at a revision, as far as that is known
 * @throws ShipError as Helm does
 */
export async function earlierRevision(
  helm: Pick<Helm, 'manifest'>,
  release: ReleaseName,
  { history, open }: { readonly history: History; readonly open: Unfinished | undefined },
  settingsAt: (entry: HelmStatus) => NodeSettings | undefined,
): Promise<Earlier> {
  if (open?.kind === 'rollback') return { target: open.back, same: [] };
  const left = beforeFailedRollbacks(history);
  const newest = left.at(-1);
  if (newest === undefined || unfinishedRollout(left) !== undefined) {
    return { target: lastFinished(left), same: [] };
  }
  const now = (await helm.manifest(release, newest.revision)) ?? '';
  const told = settingsAt(newest);
  const same: number[] = [];
  for (const entry of finishedBefore(left)) {
    const manifest = (await helm.manifest(release, entry.revision)) ?? '';
    if (!sameManifest(manifest, now)) return { target: entry, same };
    const were = settingsAt(entry);
    if (told !== undefined && were !== undefined && !sameSettings(told, were)) {
      return { target: entry, same };
    }
    same.push(entry.revision);
  }
  return { target: undefined, same };
}
