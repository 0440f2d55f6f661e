import { shippedData } from '../../src/commands/shared/report.ts';
import type { ShippedNode } from '../../src/commands/shared/ship-images.ts';
import type { ShipImage } from '../../src/core/image.ts';
import type { ReceiptNode } from '../../src/output/receipt/schema.ts';
import { shippedNode } from './values.ts';

/** What a receipt says of a node that a push brought these images to. */
export function receiptNode(
  node: string,
  images: readonly ShipImage[],
  more: Partial<ShippedNode> = {},
): ReceiptNode {
  const [data] = shippedData([shippedNode(node, images, more)], images);
  if (data === undefined) throw new Error('no node');
  return data;
}
