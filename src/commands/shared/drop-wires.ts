import type { ShipError } from '../../core/errors.ts';
import type { BlobStore } from '../../image/store.ts';
import { dropWire } from '../../image/wire.ts';
import type { NodePlan } from '../../transfer/plan.ts';
import type { WholeSender } from './send-whole.ts';

/** What was refused for its bytes may be damaged here too; it is made anew the next time. */
export async function dropDamaged(
  store: BlobStore,
  plans: readonly NodePlan[],
  failures: ReadonlyMap<string, ShipError>,
): Promise<void> {
  const damaged = plans.filter(({ node }) => failures.get(node)?.kind === 'integrity');
  for (const { blob, form, whole } of damaged.flatMap(({ send }) => send)) {
    for (const one of new Set([form, whole.form])) await dropWire(store, blob.digest, one);
  }
}

/** A patch that a node refused may be damaged here, too; no node waits for it any more. */
export async function dropRefused(
  store: BlobStore,
  plans: readonly NodePlan[],
  senders: ReadonlyMap<string, WholeSender>,
): Promise<void> {
  const refused = plans.flatMap(({ node, send }) =>
    send.filter(({ blob }) => senders.get(node)?.again.has(blob.digest)),
  );
  for (const { blob, form } of refused) await dropWire(store, blob.digest, form);
}
