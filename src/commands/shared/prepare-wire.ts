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
  context: Context,
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
      return file === undefined || isTooLarge(send, file) ? undefined : { file };
    },
    run: ({ signal }) =>
      isPatch(form)
        ? patchOrWhole(send, store, signal)
        : wireOf(send, store, signal).then((file) => ({ file })),
    describe: ({ file }) => formatBytes(file.size),
  };
}

async function patchOrWhole(send: SendBlob, store: BlobStore, signal: AbortSignal): Promise<Made> {
  const patch = await wireOf(send, store, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    if (error instanceof ShipError) return error;
    throw error;
  });
  if (!(patch instanceof ShipError) && !isTooLarge(send, patch)) return { file: patch };
  const why =
    patch instanceof ShipError
      ? 'the patch could not be made'
      : `the patch is no smaller: ${formatBytes(patch.size)}`;
  return { file: await wireOf(asWhole(send, why), store, signal), sentWhole: why };
}

/** Whether it is a patch that is no smaller than the whole layer would be. */
function isTooLarge({ form, whole }: SendBlob, { size }: WireFile): boolean {
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
