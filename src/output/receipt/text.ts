import { shortDigest } from '../../core/digest.ts';
import { shortName } from '../../core/image.ts';
import { counted } from '../../core/text.ts';
import { formatBytes } from '../progress.ts';
import { textTable } from '../table.ts';
import type { ReceiptNode } from './schema.ts';
import { totalsOf } from './totals.ts';
import { patchNotes } from './words.ts';

type Proof = ReceiptNode['images'][number];

const PIN_IGNORED = 'pin not honoured by containerd 1.6';

/** Nodes and images as a table: what a push came to, and what each node proved. */
export function nodesTable(nodes: readonly ReceiptNode[]): string {
  const rows = nodes.flatMap((node) =>
    node.images.length === 0 ? [emptyRow(node)] : proofRows(node),
  );
  const table = textTable(['node', 'state', 'sent', 'image', 'manifest', 'config', 'proved'], rows);
  return [table, ...patchLines(nodes), ...pinNotes(nodes)].join('\n');
}

function patchLines(nodes: readonly ReceiptNode[]): readonly string[] {
  const lines = nodes.flatMap((node) => patchNotes(node).map((note) => `${node.node}: ${note}`));
  return lines.length === 0 ? [] : ['', ...lines];
}

function pinNotes(nodes: readonly ReceiptNode[]): readonly string[] {
  const ignoring = nodes.filter(({ images }) =>
    images.some(({ pinned }) => pinned === PIN_IGNORED),
  );
  if (ignoring.length === 0) return [];
  return [
    '',
    `* ${PIN_IGNORED}: ${ignoring.map(({ node }) => node).join(', ')}; the label is kept`,
  ];
}

function proofRows(node: ReceiptNode): readonly (readonly string[])[] {
  return node.images.map((proof, index) => [
    ...(index === 0 ? [node.node, node.state, formatBytes(node.bytes)] : ['', '', '']),
    shortName(proof.name),
    shortDigest(proof.manifest),
    shortDigest(proof.config),
    provedText(proof),
  ]);
}

function emptyRow({ node, state, bytes }: ReceiptNode): readonly string[] {
  const left = state === 'failed' ? 'its images are as they were' : '';
  return [node, state, formatBytes(bytes), left, '', '', ''];
}

function provedText({ complete, unpacked, cri, pinned }: Proof): string {
  const words = [
    complete ? 'complete' : 'not complete',
    unpacked ? 'unpacked' : 'not unpacked',
    cri ? 'CRI' : 'not in CRI',
    pinned === PIN_IGNORED ? 'pin*' : pinned,
  ];
  return words.join(' ');
}

/** One line about everything that was sent. */
export function sentSummary(nodes: readonly ReceiptNode[], images: number): string {
  if (nodes.every(({ state }) => state === 'nothing to do')) {
    const are = images === 1 ? 'is' : 'are';
    return `nothing to do: ${counted(images, 'image')} ${are} complete and unpacked on ${counted(nodes.length, 'node')}`;
  }
  const { sent, whole, proved } = totalsOf(nodes);
  if (nodes.some(({ state }) => state === 'failed')) {
    return `${formatBytes(sent)} sent · ${proved} of ${counted(nodes.length, 'node')} ${proved === 1 ? 'has' : 'have'} every image, proved`;
  }
  return `${formatBytes(sent)} sent to ${counted(nodes.length, 'node')}, whose images hold ${formatBytes(whole)}`;
}
