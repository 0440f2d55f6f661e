import { combineFailures, type ShipError } from '../../core/errors.ts';
import { totalSize, type ImageIdentity, type ShipImage } from '../../core/image.ts';
import { errorData } from '../../output/error.ts';
import type { ReceiptImage, ReceiptNode } from '../../output/receipt/schema.ts';
import type { ShippedNode } from './shipped-node.ts';

/** What was shipped, for machines. */
export function imagesData(images: readonly ShipImage[]): readonly ReceiptImage[] {
  return images.map((image) => ({ ...identityData(image), size: totalSize(image.layers) }));
}

/** The same of an image that is known by its digests alone. */
export function identityData(image: ImageIdentity): ReceiptImage {
  const { key, name, digestName, config, manifest } = image;
  return { key, name, digestName, config: config.digest, manifest: manifest.digest };
}

/** What shipping came to on each node, for machines. */
export function shippedData(
  nodes: readonly ShippedNode[],
  images: readonly ShipImage[],
): readonly ReceiptNode[] {
  const layers = images.flatMap((image) => image.layers);
  const distinct = new Set(layers.map(({ digest }) => digest)).size;
  const whole = { layers: distinct, bytes: totalSize(layers) };
  return nodes.map(({ node, state, sent, sentLayers, proofs, had, error }) => ({
    node,
    state,
    bytes: sent.bytes,
    layers: sent.layers,
    layerBytes: sent.layerBytes,
    sent: sentLayers,
    ...(had === undefined ? {} : { had: { layers: had.layers, bytes: had.bytes } }),
    whole,
    before: had?.configs ?? {},
    images: proofs,
    ...(error === undefined ? {} : { error: errorData(error) }),
  }));
}

/**
 * Ends a command that did not succeed on every node.
 *
 * @throws ShipError of the highest class, with one entry for each node
 */
export function requireAll(
  what: string,
  nodes: readonly { readonly node: string; readonly error?: ShipError }[],
): void {
  const failures = nodes.flatMap(({ node, error }) =>
    error === undefined ? [] : [[node, error] as const],
  );
  if (failures.length > 0) throw combineFailures(what, new Map(failures));
}
