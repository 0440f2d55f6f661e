import { shortDigest } from '../../core/digest.ts';
import { ShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import { isPatch } from '../../core/wire.ts';
import { wireName } from '../../facts/node-paths.ts';
import type { BlobStore } from '../../image/store.ts';
import { recallWire, wireForm, type WireFile } from '../../image/wire.ts';
import { formatBytes } from '../../output/progress.ts';
import { runStage } from '../../output/stage.ts';
import { compressor } from '../../system/compress.ts';
import { asWhole, type NodePlan, type SendBlob } from '../../transfer/plan.ts';
import type { Context } from '../command.ts';
import { looking } from './stages.ts';

/** Plans whose blobs all lie ready in their wire form. */
export interface Prepared {
  readonly plans: readonly NodePlan[];
  readonly wire: (send: SendBlob) => WireFile;
}

/** A wire form, and why it is the whole layer when a patch was planned. */
interface Made {
  readonly file: WireFile;
  readonly sentWhole?: string;
}

/**
 * Makes the wire form of every blob that some node lacks, each once for all nodes. A patch that
 * cannot be made, or is no smaller than its layer, gives way to the whole layer in the plans.
 */
export async function prepareWire(
  context: Pick<Context, 'output' | 'signal'>,
  plans: readonly NodePlan[],
  store: BlobStore,
): Promise<Prepared> {
  const wanted = new Map(plans.flatMap(({ send }) => send).map((send) => [nameOf(send), send]));
  const layers = [...wanted].filter(([, { form }]) => form !== 'plain');
  const steps = layers.map(([name, send]) => makeStep(name, send, store));
  const made = new Map(await runStage('Compress', steps, { ...looking(context), concurrency: 1 }));
  for (const [name, send] of wanted) {
    if (send.form !== 'plain') continue;
    made.set(name, { file: await wireOf(send, store, context.signal) });
  }
  const files = new Map(
    [...made.values()].map(({ file }) => [wireName(file.digest, file.form), file]),
  );
  return {
    plans: plans.map((plan) => ({
      ...plan,
      send: plan.send.map((send) => asMade(send, found(made, nameOf(send)))),
    })),
    wire: (send) => found(files, nameOf(send)),
  };
}

function makeStep(name: string, send: SendBlob, store: BlobStore): Step<Made> {
  const { blob, form } = send;
  const what = isPatch(form) ? 'make a patch of layer' : 'compress layer';
  return {
    id: name,
    title: `${what} ${shortDigest(blob.digest)}`,
    done: async () => {
      const file = await recallWire(store, blob.digest, form);
      return file === undefined || isDoubtful(send, file) ? undefined : { file };
    },
    run: async ({ signal }) =>
      isPatch(form) ? smallest(send, store, signal) : { file: await wireOf(send, store, signal) },
    describe: ({ file }) => formatBytes(file.size),
  };
}

/** The patch, unless the whole layer is no larger. That one is made only when it may be. */
async function smallest(send: SendBlob, store: BlobStore, signal: AbortSignal): Promise<Made> {
  const patch = await patchOf(send, store, signal);
  if (patch !== undefined && !isDoubtful(send, patch)) return { file: patch };
  const file = await wireOf({ ...send, ...send.whole }, store, signal);
  if (patch === undefined) return { file, sentWhole: 'the patch could not be made' };
  if (patch.size < file.size) return { file: patch };
  return { file, sentWhole: `the patch is no smaller: ${formatBytes(patch.size)}` };
}

/** Undefined when it cannot be made, for one because the store lost its base meanwhile. */
async function patchOf(
  send: SendBlob,
  store: BlobStore,
  signal: AbortSignal,
): Promise<WireFile | undefined> {
  try {
    return await wireOf(send, store, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ShipError) return undefined;
    throw error;
  }
}

/** Whether a patch is as large as the whole layer is expected to be. */
function isDoubtful({ form, whole }: SendBlob, { size }: WireFile): boolean {
  return isPatch(form) && size >= whole.expected.bytes;
}

function wireOf(
  { blob, form }: SendBlob,
  store: BlobStore,
  signal: AbortSignal,
): Promise<WireFile> {
  return wireForm(store, blob.digest, form, compressor, signal);
}

/** The blob of a plan as it came to be, with the bytes that now are known. */
function asMade(send: SendBlob, { file, sentWhole }: Made): SendBlob {
  const made = sentWhole === undefined ? send : asWhole(send, sentWhole);
  return { ...made, expected: { ...made.expected, bytes: file.size } };
}

function nameOf({ blob, form }: Pick<SendBlob, 'blob' | 'form'>): string {
  return wireName(blob.digest, form);
}

function found<Value>(values: ReadonlyMap<string, Value>, name: string): Value {
  const value = values.get(name);
  if (value === undefined) throw new Error(`no wire form ${name}`);
  return value;
}
