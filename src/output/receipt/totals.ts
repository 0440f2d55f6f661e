import type { ReceiptNode } from './schema.ts';

/** Sums over all nodes of a receipt, in bytes and layers. */
export interface Totals {
  readonly sent: number;
  /** What the images hold, uncompressed, once for each node. */
  readonly whole: number;
  readonly hadLayers: number;
  readonly hadBytes: number;
  readonly wholeLayers: number;
  /** Layers that travelled as patches, the bytes of the patches and of the layers. */
  readonly patches: { readonly layers: number; readonly bytes: number; readonly whole: number };
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
    hadBytes: sum(({ had }) => had?.bytes ?? 0),
    wholeLayers: sum(({ whole }) => whole.layers),
    patches: patchesOf(nodes),
    proved: nodes.filter(({ state }) => state === 'shipped' || state === 'nothing to do').length,
  };
}

function patchesOf(nodes: readonly ReceiptNode[]): Totals['patches'] {
  const patches = nodes.flatMap(({ sent }) => sent).filter(({ base }) => base !== undefined);
  return {
    layers: patches.length,
    bytes: patches.reduce((sum, { bytes }) => sum + bytes, 0),
    whole: patches.reduce((sum, { size }) => sum + size, 0),
  };
}
