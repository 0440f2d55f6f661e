import type { ReceiptNode } from './schema.ts';

/** Sums over all nodes of a receipt, in bytes and layers. */
export interface Totals {
  readonly sent: number;
  /** What the images hold, uncompressed, once for each node. */
  readonly whole: number;
  readonly hadLayers: number;
  readonly wholeLayers: number;
  /** Nodes that have every image, proved. */
  readonly proved: number;
}

export function totalsOf(nodes: readonly ReceiptNode[]): Totals {
  const sum = (of: (node: ReceiptNode) => number): number =>
    nodes.reduce((total, node) => total + of(node), 0);
  return {
    sent: sum(({ bytes }) => bytes),
    whole: sum(({ whole }) => whole.bytes),
    hadLayers: sum(({ had }) => had?.layers ?? 0),
    wholeLayers: sum(({ whole }) => whole.layers),
    proved: nodes.filter(({ state }) => state === 'shipped' || state === 'nothing to do').length,
  };
}
