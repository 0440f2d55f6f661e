import type { Helm } from './cluster.ts';
import type { HeldLease } from './lease.ts';

/** Methods of a cluster that change something. */
const CHANGES = /^(annotate|apply|delete|label)[A-Z]/;

type Confirm = HeldLease['confirm'];

/**
 * A cluster in which nothing is changed by who may have lost the lease: each change asks first. Changes
 * throw as `confirm` does.
 */
export function leasedCluster<T extends object>(cluster: T, confirm: Confirm): T {
  return confirming(cluster, (name) => CHANGES.test(name), confirm);
}

/** The same for Helm. */
export function leasedHelm<T extends Helm>(helm: T, confirm: Confirm): T {
  const changes = new Set(['upgrade', 'rollback', 'uninstall']);
  return confirming(helm, (name) => changes.has(name), confirm);
}

function confirming<T extends object>(
  calls: T,
  changes: (name: string) => boolean,
  confirm: Confirm,
): T {
  const confirmed = Object.entries(calls).flatMap(([name, call]: [string, unknown]) => {
    if (typeof call !== 'function' || !changes(name)) return [];
    const first = async (...given: unknown[]): Promise<unknown> => {
      await confirm();
      return await (call as (...given: unknown[]) => unknown).apply(calls, given);
    };
    return [[name, first] as const];
  });
  return { ...calls, ...Object.fromEntries(confirmed) };
}
