import type { Digest } from '../../core/digest.ts';
import { isPatch } from '../../core/wire.ts';
import type { ReceiptNode } from '../../output/receipt/schema.ts';
import type { NodePlan } from '../../transfer/plan.ts';
import type { SentAgain } from './send-whole.ts';

/** How a layer travelled to a node, or would in a dry run. */
export type SentLayer = ReceiptNode['sent'][number];

/**
 * How each layer of a plan travelled.
 *
 * @param again layers whose patch the node refused
 */
export function sentLayers(
  { send }: NodePlan,
  again: ReadonlyMap<Digest, SentAgain>,
): readonly SentLayer[] {
  return send.flatMap(({ blob: { kind, digest, size }, form, whole, expected, sentWhole }) => {
    if (kind !== 'layer') return [];
    const refused = again.get(digest);
    const way = refused === undefined ? form : whole.form;
    const why = refused?.why ?? sentWhole;
    return [
      {
        digest,
        size,
        form: isPatch(way) ? 'patch' : way,
        ...(isPatch(way) ? { base: way.base.digest } : {}),
        bytes: expected.bytes + (refused?.bytes ?? 0),
        ...(expected.seconds === undefined ? {} : { expectedSeconds: expected.seconds }),
        ...(why === undefined ? {} : { sentWhole: why }),
      },
    ];
  });
}
