import { toShipError, type ShipError } from '../../core/errors.ts';
import type { FoundLock } from '../../core/lock.ts';
import { leaseFound } from '../../deploy/lease.ts';
import { nodeLockFound } from '../../import/lock.ts';
import type { Context } from '../command.ts';
import { openClusterAccess, releaseOf, type ClusterAccess } from './cluster.ts';
import type { Fleet } from './fleet.ts';

/**
 * Asks every lock that runs of this config take: that of each connected node, and of the release.
 *
 * @param ask is given one lock
 * @returns the answers, and why a lock gave none
 * @throws ShipError `interrupted`
 */
export async function eachLock<T>(
  context: Context,
  fleet: Fleet,
  ask: (lock: FoundLock) => Promise<T>,
): Promise<{
  readonly answers: readonly T[];
  readonly failures: ReadonlyMap<string, ShipError>;
}> {
  const failures = new Map(fleet.failures);
  const asked = async (lock: FoundLock): Promise<readonly T[]> => {
    try {
      return [await ask(lock)];
    } catch (error) {
      context.signal.throwIfAborted();
      failures.set(lock.name, toShipError(error));
      return [];
    }
  };
  await using access = await openClusterAccess(context, fleet).catch((error: unknown) => {
    failures.set('cluster', toShipError(error));
    return undefined;
  });
  const answers = await Promise.all(locksOf(context, fleet, access).map(asked));
  return { answers: answers.flat(), failures };
}

function locksOf(
  context: Context,
  fleet: Fleet,
  access: ClusterAccess | undefined,
): readonly FoundLock[] {
  const nodes = [...fleet.sessions.values()].map((node) => nodeLockFound(node, context.signal));
  const release = access && leaseFound(access.cluster.leases, releaseOf(context));
  return release === undefined ? nodes : [...nodes, release];
}
