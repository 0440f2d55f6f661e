import { readFile } from 'node:fs/promises';
import { Argument } from 'commander';
import { ShipError } from '../core/errors.ts';
import { quoteWord } from '../core/quote.ts';
import { receiptMarkdown } from '../output/receipt/markdown.ts';
import { receiptText } from '../output/receipt/overview.ts';
import { receiptSchema, type Receipt } from '../output/receipt/schema.ts';
import { findNumbered } from '../system/numbered-files.ts';
import type { CommandSpec } from './command.ts';
import { option } from './flags.ts';
import { receiptFolder } from './shared/receipt.ts';

interface ReceiptFlags {
  readonly markdown?: boolean;
}

export const receipt: CommandSpec<ReceiptFlags> = {
  name: 'receipt',
  summary: 'print the record of a run: what was sent, proved and rolled out, and how long it took',
  description:
    'Every push, ship and deploy leaves a receipt in .ciliumship/receipts beside the config, also when it fails, but not when it is refused (exit 2) before anything was done: NNNN.json, whose form is docs/receipt.schema.json, and the same as a page, NNNN.html. The last 50 are kept. In a job of GitHub Actions it is added to the summary of the job too.',
  examples: [
    ['ciliumship receipt', 'the last run'],
    ['ciliumship receipt 12 -o json', 'run 0012, for a script'],
    ['ciliumship receipt --markdown', 'the last run, to paste into an issue'],
  ],
  args: [new Argument('[number]', 'number of the receipt (default: the last one)')],
  options: [option('--markdown', 'print Markdown in place of plain text')],
  run: async ({ config, args, flags, output }) => {
    const found = await readReceipt(receiptFolder(config.folder), args[0]);
    const text = flags.markdown === true ? receiptMarkdown(found).trimEnd() : receiptText(found);
    output.result(text, found);
  },
};

async function readReceipt(folder: string, number: string | undefined): Promise<Receipt> {
  const wanted = number === undefined ? undefined : Number(number);
  const file = await findNumbered(folder, 'json', wanted);
  if (file === undefined) {
    const which = number === undefined ? 'no receipt' : `no receipt ${number}`;
    throw new ShipError('usage', `there is ${which} in ${folder}`, {
      hint: `see which there are: ls ${quoteWord(folder)}; push, ship and deploy leave one each`,
    });
  }
  const { success, data } = receiptSchema.safeParse(parsed(await readFile(file, 'utf8')));
  if (success) return data;
  throw new ShipError('usage', `${file} is no receipt of this version of ciliumship`, {
    hint: 'read it as it is, or with the ciliumship that wrote it',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
