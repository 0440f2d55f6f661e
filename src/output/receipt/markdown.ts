import { shortDigest } from '../../core/digest.ts';
import { shortName } from '../../core/image.ts';
import { formatSeconds } from '../../core/text.ts';
import { formatBytes } from '../progress.ts';
import { lanesOf, type Lane } from './lanes.ts';
import { line, type Markup } from './markup.ts';
import type { Receipt, ReceiptImage, ReceiptNode } from './schema.ts';
import { headline, placeOf, totalsOf, whenAndWhat } from './totals.ts';

/** A receipt as Markdown, for the summary of a CI job. */
export function receiptMarkdown(receipt: Receipt): string {
  const blocks = [
    [line`## ciliumship ${receipt.command}: ${headline(receipt)}`],
    [line`${whenAndWhat(receipt).join(' · ')}`],
    failure(receipt),
    nodesTable(receipt.nodes),
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
    line`| ${shortName(image.name)} | ${shortDigest(image.config)} | ${formatBytes(image.size)} |${nodes.map((node) => line` ${placeText(image, node)} |`)}`;
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

/** Seconds of each stage, on this machine and on each node. */
function stagesTable(receipt: Receipt): readonly Markup[] {
  const lanes = lanesOf(receipt).filter(({ bars }) => bars.length > 0);
  const stages = [...new Set(receipt.stages.map(({ stage }) => stage))];
  if (lanes.length === 0) return [];
  return [
    line`| stage |${lanes.map(({ node }) => line` ${node ?? 'this machine'} |`)}`,
    line`| --- |${lanes.map(() => line` ---: |`)}`,
    ...stages.map(
      (stage) => line`| ${stage} |${lanes.map((lane) => line` ${took(lane, stage)} |`)}`,
    ),
  ];
}

function took({ bars }: Lane, stage: string): string {
  const own = bars.filter((bar) => bar.stage === stage);
  if (own.length === 0) return '';
  const seconds = own.reduce((sum, { start, end }) => sum + (end - start) / 1000, 0);
  return own.some(({ failed }) => failed) ? 'failed' : formatSeconds(seconds);
}
