import { textTable } from '../table.ts';
import { stageSeconds } from './lanes.ts';
import type { Receipt } from './schema.ts';
import { nodesTable, sentSummary } from './text.ts';
import { headline, whenAndWhat } from './words.ts';

/** A whole receipt for a terminal. */
export function receiptText(receipt: Receipt): string {
  const { command, nodes, images } = receipt;
  const { head, rows } = stageSeconds(receipt);
  const blocks = [
    `${command}: ${headline(receipt)}\n${whenAndWhat(receipt).join(' · ')}`,
    ...failure(receipt),
    ...(nodes.length === 0 ? [] : [nodesTable(nodes)]),
    ...(rows.length === 0 ? [] : [textTable(['stage', ...head], rows)]),
    ...(nodes.length === 0 ? [] : [sentSummary(nodes, images.length)]),
  ];
  return blocks.join('\n\n');
}

function failure({ error, exitCode }: Receipt): readonly string[] {
  if (error === undefined) return [];
  const lines = [
    error.message,
    ...error.details.map((detail) => `  ${detail}`),
    ...(error.hint === undefined ? [] : [`  next: ${error.hint}`]),
    `exit ${exitCode}`,
  ];
  return [lines.join('\n')];
}
