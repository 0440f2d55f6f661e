import type { Digest } from '../../core/digest.ts';
import type { ShipError } from '../../core/errors.ts';
import type { ImageProof, ShipImage } from '../../core/image.ts';
import { hadBefore, type Had } from '../../facts/had-before.ts';
import { proofOf } from '../../facts/node-store.ts';
import type { Settled } from '../../output/stage.ts';
import type { NodePlan } from '../../transfer/plan.ts';
import type { Sent } from '../../transfer/send.ts';
import type { Looked } from './look-nodes.ts';
import type { SentAgain, WholeSender } from './send-whole.ts';
import { sentLayers, type SentLayer } from './sent-layers.ts';

/** What shipping came to on one node. */
export interface ShippedNode {
  readonly node: string;
  readonly state: 'shipped' | 'nothing to do' | 'planned' | 'failed';
  readonly sent: Sent;
  /** How each layer that the node lacked travelled. */
  readonly sentLayers: readonly SentLayer[];
  readonly proofs: readonly ImageProof[];
  /** Undefined when the node could not be looked at. */
  readonly had?: Had;
  readonly error?: ShipError;
}

const NOTHING: Sent = { bytes: 0, layers: 0, layerBytes: 0, kept: 0 };

interface Outcomes {
  readonly looked: Settled<Looked>;
  /** Of the nodes that everything arrived on, or would in a dry run. */
  readonly plans: readonly NodePlan[];
  readonly senders: ReadonlyMap<string, WholeSender>;
  readonly sent: Settled<Sent>;
  readonly imported: Settled<readonly ImageProof[]>;
  readonly failures: ReadonlyMap<string, ShipError>;
}

/** What shipping came to on one node, from what each of its stages did. */
export function outcome(
  node: string,
  { looked, plans, senders, sent, imported, failures }: Outcomes,
  images: readonly ShipImage[],
): ShippedNode {
  const error = failures.get(node);
  const store = looked.results.get(node)?.store;
  const again = senders.get(node)?.again ?? new Map<Digest, SentAgain>();
  const base = {
    node,
    sent: withAgain(sent.results.get(node) ?? NOTHING, again),
    sentLayers: plans
      .filter((plan) => plan.node === node)
      .flatMap((plan) => sentLayers(plan, again)),
    ...(store === undefined ? {} : { had: hadBefore(store, images) }),
  };
  if (error !== undefined) return { ...base, state: 'failed', proofs: [], error };
  if (imported.planned.has(node)) return { ...base, state: 'planned', proofs: [] };
  const before = images.flatMap((image) => (store && proofOf(store, image)) ?? []);
  const after = imported.results.get(node) ?? [];
  const newer = new Set(after.map(({ key }) => key));
  return {
    ...base,
    state: after.length > 0 ? 'shipped' : 'nothing to do',
    proofs: [...before.filter(({ key }) => !newer.has(key)), ...after],
  };
}

/** What travelled in all: a layer whose patch was refused came a second time. */
function withAgain(sent: Sent, again: ReadonlyMap<Digest, SentAgain>): Sent {
  const more = [...again.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  return { ...sent, bytes: sent.bytes + more, layerBytes: sent.layerBytes + more };
}
