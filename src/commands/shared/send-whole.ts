import { shortDigest, type Digest } from '../../core/digest.ts';
import type { BlobStore } from '../../image/store.ts';
import { wireForm } from '../../image/wire.ts';
import type { SendWhole } from '../../import/decode.ts';
import { compressor } from '../../system/compress.ts';
import type { Session } from '../../system/ssh/session.ts';
import type { NodePlan } from '../../transfer/plan.ts';
import { sendBlob } from '../../transfer/send.ts';
import type { Uplink } from '../../transfer/uplink.ts';

/** A layer that was sent once more as a whole: bytes that travelled for it, and why. */
export interface SentAgain {
  readonly bytes: number;
  readonly why: string;
}

/** What brings a layer to a node that could not apply its patch. */
export interface WholeSender {
  readonly send: SendWhole;
  /** Layers that were sent again so far. */
  readonly again: ReadonlyMap<Digest, SentAgain>;
}

/**
 * The sender of one node. A refused patch stays: it may be on its way to another node. What was not
 * in the plan travels as gzip, which every node can read.
 */
export function wholeSender(
  plan: NodePlan,
  session: Session,
  store: BlobStore,
  uplink: Uplink,
): WholeSender {
  const again = new Map<Digest, SentAgain>();
  const send: SendWhole = async (layer, why, run) => {
    const planned = plan.send.find(({ blob }) => blob.digest === layer.digest);
    const form = planned?.whole.form ?? 'gzip';
    const { digest } = layer;
    const file = await wireForm({ store, digest, form, compressor, signal: run.signal });
    run.progress({ text: `send layer ${shortDigest(digest)} whole: ${why}` });
    const bytes = await sendBlob(session, file, run, () => undefined, uplink);
    again.set(digest, { bytes, why });
    return { blob: layer, form: file.form };
  };
  return { send, again };
}
