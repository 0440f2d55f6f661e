import { shortDigest } from '../../core/digest.ts';
import { shortName } from '../../core/image.ts';
import { formatBytes } from '../progress.ts';
import { stageSeconds } from './lanes.ts';
import { line, type Markup } from './markup.ts';
import type { Receipt, ReceiptImage, ReceiptNode } from './schema.ts';
import { totalsOf } from './totals.ts';
import { headline, patchNotes, placeOf, sizeText, whenAndWhat } from './words.ts';

/** A receipt as Markdown, for the summary of a CI job. */
export function receiptMarkdown(receipt: Receipt): string {
  const blocks = [
    [line`## ciliumship ${receipt.command}: ${headline(receipt)}`],
    [line`${whenAndWhat(receipt).join(' · ')}`],
    failure(receipt),
    nodesTable(receipt.nodes),
    patchList(receipt.nodes),
    imagesTable(receipt),
    stagesTable(receipt),
  ];
  const texts = blocks.map((block) => block.map(({ markup }) => markup).join('\n'));
  return `${texts.filter((text) => text !== '').join('\n\n')}\n`;
}

function failure({ error }: Receipt): readonly Markup[] {
  if (error === undefined) return [];
  const hint = error.hint === undefined ? [] : [`next: ${error.hint}`];
  const rest = [...error.details, ...hint].map((text) => line`> ${text}`);
  return [line`> **${error.message}**`, ...rest.flatMap((quoted) => [line`>`, quoted])];
}

function nodesTable(nodes: readonly ReceiptNode[]): readonly Markup[] {
  if (nodes.length === 0) return [];
  const { sent, whole, hadLayers, wholeLayers } = totalsOf(nodes);
  const rows = nodes.map(
    ({ node, state, bytes, had, whole: all }) =>
      line`| ${node} | ${state} | ${formatBytes(bytes)} of ${formatBytes(all.bytes)} | ${had?.layers ?? '?'} of ${all.layers} |`,
  );
  return [
    line`| node | state | sent | layers that were there |`,
    line`| --- | --- | --- | --- |`,
    ...rows,
    line`| all | | ${formatBytes(sent)} of ${formatBytes(whole)} | ${hadLayers} of ${wholeLayers} |`,
  ];
}

function imagesTable({ images, nodes }: Receipt): readonly Markup[] {
  if (images.length === 0 || nodes.length === 0) return [];
  const row = (image: ReceiptImage): Markup =>
    line`| ${shortName(image.name)} | ${shortDigest(image.config)} | ${sizeText(image)} |${nodes.map((node) => line` ${placeText(image, node)} |`)}`;
  return [
    line`| image | config digest | size |${nodes.map(({ node }) => line` ${node} |`)}`,
    line`| --- | --- | ---: |${nodes.map(() => line` --- |`)}`,
    ...images.map(row),
  ];
}

function placeText(image: ReceiptImage, node: ReceiptNode): string {
  const { proved, note } = placeOf(image, node);
  return [proved ? 'proved' : 'not proved', ...(note === '' ? [] : [note])].join(', ');
}

function stagesTable(receipt: Receipt): readonly Markup[] {
  const { head, rows } = stageSeconds(receipt);
  if (rows.length === 0) return [];
  return [
    line`| stage |${head.map((name) => line` ${name} |`)}`,
    line`| --- |${head.map(() => line` ---: |`)}`,
    ...rows.map((cells) => line`|${cells.map((cell) => line` ${cell} |`)}`),
  ];
}

/** Layers that travelled as patches, node by node. */
function patchList(nodes: readonly ReceiptNode[]): readonly Markup[] {
  return nodes.flatMap((node) => patchNotes(node).map((note) => line`- ${node.node}: ${note}`));
}
