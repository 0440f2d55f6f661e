import { combineFailures, type ShipError } from '../../core/errors.ts';
import { shortDigest } from '../../core/digest.ts';
import { totalSize, type ImageProof, type ShipImage } from '../../core/image.ts';
import { formatBytes } from '../../output/progress.ts';
import { textTable } from '../../output/table.ts';
import type { ShippedNode } from './ship-images.ts';

const PIN_IGNORED = 'pin not honoured by containerd 1.6';

/** Nodes and images as a table: what a push came to, and what each node proved. */
export function shippedTable(nodes: readonly ShippedNode[]): string {
  const rows = nodes.flatMap((node) =>
    node.proofs.length === 0 ? [emptyRow(node)] : proofRows(node),
  );
  const table = textTable(['node', 'state', 'sent', 'image', 'manifest', 'config', 'proved'], rows);
  const ignoring = nodes.filter(({ proofs }) =>
    proofs.some(({ pinned }) => pinned === PIN_IGNORED),
  );
  if (ignoring.length === 0) return table;
  return `${table}\n\n* ${PIN_IGNORED}: ${ignoring.map(({ node }) => node).join(', ')}; the label is kept`;
}

function proofRows(node: ShippedNode): readonly (readonly string[])[] {
  return node.proofs.map((proof, index) => [
    ...(index === 0 ? [node.node, node.state, formatBytes(node.sent.bytes)] : ['', '', '']),
    shortName(proof.name),
    shortDigest(proof.manifest),
    shortDigest(proof.config),
    provedText(proof),
  ]);
}

function emptyRow({ node, state, sent }: ShippedNode): readonly string[] {
  const left = state === 'failed' ? 'its images are as they were' : '';
  return [node, state, formatBytes(sent.bytes), left, '', '', ''];
}

function provedText({ complete, unpacked, cri, pinned }: ImageProof): string {
  const words = [
    complete ? 'complete' : 'not complete',
    unpacked ? 'unpacked' : 'not unpacked',
    cri ? 'CRI' : 'not in CRI',
    pinned === PIN_IGNORED ? 'pin*' : pinned,
  ];
  return words.join(' ');
}

/** `quay.io/cilium/cilium:tag` → `cilium:tag`, for tables. */
export function shortName(name: string): string {
  return name.split('/').at(-1) ?? name;
}

/** One line about the whole push. */
export function shippedSummary(
  nodes: readonly ShippedNode[],
  images: readonly ShipImage[],
): string {
  if (nodes.every(({ state }) => state === 'nothing to do')) {
    return `nothing to do: ${images.length} images are complete and unpacked on ${nodes.length} nodes`;
  }
  const bytes = nodes.reduce((sum, { sent }) => sum + sent.bytes, 0);
  const whole = totalSize(images.flatMap(({ layers }) => layers)) * nodes.length;
  return `${formatBytes(bytes)} sent to ${nodes.length} nodes, whose images hold ${formatBytes(whole)}`;
}

/** The same for machines. */
export function shippedData(nodes: readonly ShippedNode[]): unknown {
  return nodes.map(({ node, state, sent, proofs, error }) => ({
    node,
    state,
    bytes: sent.bytes,
    layers: sent.layers,
    layerBytes: sent.layerBytes,
    images: proofs,
    ...(error === undefined ? {} : { error: { kind: error.kind, message: error.message } }),
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
