import { shortDigest } from '../../core/digest.ts';
import { ShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import { isPatch } from '../../core/wire.ts';
import { wireName } from '../../facts/node-paths.ts';
import type { BlobStore } from '../../image/store.ts';
import { recallWire, wireForm, type Compressor, type WireFile } from '../../image/wire.ts';
import { formatBytes } from '../../output/progress.ts';
import { runStage } from '../../output/stage.ts';
import { asWhole, type NodePlan, type SendBlob } from '../../transfer/plan.ts';
import type { Context } from '../command.ts';
import { looking } from './stages.ts';

/** Plans whose blobs all lie ready in their wire form. */
export interface Prepared {
  readonly plans: readonly NodePlan[];
  readonly wire: (send: SendBlob) => WireFile;
}

/** Makes the wire form of a blob, unless it lies ready. */
type Make = (send: SendBlob, signal: AbortSignal) => Promise<WireFile>;

/** A wire form, and why it is the whole layer when a patch was planned. */
interface Made {
  readonly file: WireFile;
  readonly sentWhole?: string;
}

/**
 * Makes the wire form of every blob that some node lacks, each once for all nodes. A patch that
 * cannot be made, or is no smaller than its layer, gives way to the whole layer in the plans.
 *
 * @param compressor suits the links to the nodes
 */
export async function prepareWire(
  context: Pick<Context, 'output' | 'signal'>,
  plans: readonly NodePlan[],
  store: BlobStore,
  compressor: Compressor,
): Promise<Prepared> {
  const make: Make = (send, signal) =>
    wireForm(store, send.blob.digest, send.form, compressor, signal);
  const wanted = new Map(plans.flatMap(({ send }) => send).map((send) => [nameOf(send), send]));
  const layers = [...wanted].filter(([, { form }]) => form !== 'plain');
  const steps = layers.map(([name, send]) => makeStep(name, send, store, make));
  const made = new Map(await runStage('Compress', steps, { ...looking(context), concurrency: 1 }));
  for (const [name, send] of wanted) {
    if (send.form !== 'plain') continue;
    made.set(name, { file: await make(send, context.signal) });
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

function makeStep(name: string, send: SendBlob, store: BlobStore, make: Make): Step<Made> {
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
      isPatch(form) ? smallest(send, make, signal) : { file: await make(send, signal) },
    describe: ({ file }) => formatBytes(file.size),
  };
}

/** The patch, unless the whole layer is no larger. That one is made only when it may be. */
async function smallest(send: SendBlob, make: Make, signal: AbortSignal): Promise<Made> {
  const patch = await patchOf(send, make, signal);
  if (patch !== undefined && !isDoubtful(send, patch)) return { file: patch };
  const file = await make({ ...send, ...send.whole }, signal);
  if (patch === undefined) return { file, sentWhole: 'the patch could not be made' };
  if (patch.size < file.size) return { file: patch };
  return { file, sentWhole: `the patch is no smaller: ${formatBytes(patch.size)}` };
}

/** Undefined when it cannot be made, for one because the store lost its base meanwhile. */
async function patchOf(
  send: SendBlob,
  make: Make,
  signal: AbortSignal,
): Promise<WireFile | undefined> {
  try {
    return await make(send, signal);
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
