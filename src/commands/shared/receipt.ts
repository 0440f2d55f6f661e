import { join, relative } from 'node:path';
import { appendFile } from 'node:fs/promises';
import { exitCode, toShipError } from '../../core/errors.ts';
import { kubernetesName, type Node } from '../../core/node.ts';
import { VERSION } from '../../core/version.ts';
import { errorData } from '../../output/error.ts';
import type { Output } from '../../output/output.ts';
import { receiptPage } from '../../output/receipt/html/page.ts';
import { receiptMarkdown } from '../../output/receipt/markdown.ts';
import { NOTHING_RECORDED, recordEvent } from '../../output/receipt/record.ts';
import { RECEIPT_VERSION, type Receipt } from '../../output/receipt/schema.ts';
import { removeOldest, writeNumbered } from '../../system/numbered-files.ts';
import { makeOwnFolder } from '../../system/own-files.ts';
import { ignoreInGit } from '../../system/replace-file.ts';
import type { CommandSpec, Context } from '../command.ts';
import type { HooksFlag } from '../flags.ts';
import { requireHooks, tellFailure } from './hooks.ts';

const KEPT = 50;
/** Below the folder of the config. */
const RECEIPTS = ['.ciliumship', 'receipts'] as const;

/**
 * Runs a command and leaves a receipt of it, whatever becomes of the run. A dry run leaves none, and
 * what is refused at the start neither: nothing happened. Throws what the command throws.
 */
export async function withReceipt(spec: CommandSpec, context: Context): Promise<void> {
  await requireHooks(spec, context);
  if (spec.receipt !== true || context.flags.dryRun === true) return spec.run(context);
  const finish = startRecording(spec.name, context);
  try {
    await spec.run({ ...context, receiptSoFar: () => finish(0) });
  } catch (thrown) {
    const error = toShipError(context.signal.aborted ? context.signal.reason : thrown);
    context.output.record({ error: errorData(error) });
    const receipt = finish(exitCode(error.kind));
    if (!isRefusal(receipt, context)) await keepReceipt(receipt, context);
    await tellFailure(spec, { ...context, receiptSoFar: () => receipt });
    throw error;
  }
  await keepReceipt(finish(0), context);
}

/** Stages that change no node, no cluster and no image. */
const LOOKING: ReadonlySet<string> = new Set(['Archive', 'Connect', 'Look', 'Lock', 'Gate']);

/**
 * A run that was refused for what was typed or written in the config, before anything was built, sent
 * or changed: what `receipt` shows as the last run stays the one before. A hook may have done anything.
 */
function isRefusal(receipt: Receipt, { flags }: Context<HooksFlag>): boolean {
  const { stages, nodes, source } = receipt;
  return (
    receipt.exitCode === exitCode('usage') &&
    flags.hooks !== 'run' &&
    nodes.length === 0 &&
    source === undefined &&
    stages.every(({ stage }) => LOOKING.has(stage))
  );
}

/** @returns what ends the recording and gives the receipt */
function startRecording(command: string, { config, output }: Context): (code: number) => Receipt {
  const started = new Date().toISOString();
  const begun = performance.now();
  const passed = (): number => Math.round(performance.now() - begun);
  const nodeOf = nodeOfStep(config.nodes);
  let recorded = NOTHING_RECORDED;
  output.listen((event) => {
    recorded = recordEvent(recorded, event, passed(), nodeOf);
  });
  // Once more: a secret may have become known after it was recorded.
  const finish = (code: number): Receipt => ({
    version: RECEIPT_VERSION,
    ciliumship: VERSION,
    command,
    config: config.file,
    started,
    seconds: passed() / 1000,
    exitCode: code,
    ...recorded,
  });
  return (code) => output.cleanAll(finish(code));
}

/** A step of one node has a name of the node as its id, or at the end of it: `label/worker`. */
function nodeOfStep(nodes: readonly Node[]): (step: string) => string | undefined {
  const names = new Map(nodes.map((node) => [kubernetesName(node), node.name]));
  for (const { name } of nodes) names.set(name, name);
  return (step) => names.get(step.split('/').at(-1) ?? step);
}

async function keepReceipt(receipt: Receipt, { config, output }: Context): Promise<void> {
  await orNote(output, 'no receipt was written', async () => {
    const path = await writeReceipt(receipt, config.folder);
    const near = relative(process.cwd(), path);
    output.note(`receipt ${near.startsWith('..') ? path : near}`);
  });
  await orNote(output, 'nothing was added to the summary of the job', () =>
    addToSummary(receipt, process.env['GITHUB_STEP_SUMMARY']),
  );
}

/** What cannot be written is said and no more: the run itself has ended, well or not. */
async function orNote(output: Output, failed: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    output.note(`${failed}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Where receipts lie. @param folder of the config file */
export function receiptFolder(folder: string): string {
  return join(folder, ...RECEIPTS);
}

/** @returns path of the page; the same for machines is beside it */
async function writeReceipt(receipt: Receipt, folder: string): Promise<string> {
  const receipts = await makeOwnFolder(folder, RECEIPTS);
  const text = `${JSON.stringify(receipt, undefined, 2)}\n`;
  const path = await writeNumbered(receipts, 'json', text, { html: receiptPage(receipt) });
  // Beside a config inside the source tree a receipt would make the tree differ from its commit.
  await ignoreInGit(join(receipts, '..'));
  await removeOldest(receipts, ['json', 'html'], KEPT);
  return `${path}.html`;
}

/** What GitHub shows as the summary of a job; a job may have several runs. */
async function addToSummary(receipt: Receipt, file: string | undefined): Promise<void> {
  if (file !== undefined && file !== '') await appendFile(file, `${receiptMarkdown(receipt)}\n`);
}
