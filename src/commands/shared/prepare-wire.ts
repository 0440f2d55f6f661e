import { shortDigest } from '../../core/digest.ts';
import { ShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import { isPatch } from '../../core/wire.ts';
import { wireName } from '../../facts/node-paths.ts';
import type { BlobStore } from '../../image/store.ts';
import { recallWire, type WireFile } from '../../image/wire.ts';
import { formatBytes } from '../../output/progress.ts';
import { runStage } from '../../output/stage.ts';
import { allOf } from '../../output/together.ts';
import { asWhole, type NodePlan, type SendBlob } from '../../transfer/plan.ts';
import type { Context } from '../command.ts';
import { looking } from './stages.ts';

/** Wire forms that are being made. */
export interface Preparing {
  /** The wire form of a blob of the plans, as soon as it is made; rejects when it cannot be. */
  readonly wire: (send: SendBlob) => Promise<WireFile>;
  /**
   * The plans as they came to be, when all forms are made.
   *
   * @throws ShipError of the highest class of what could not be made
   */
  readonly plans: Promise<readonly NodePlan[]>;
}

/** Makes the wire form of a blob, unless it lies ready. Throws as `wireForm`. */
type Make = (send: SendBlob, signal: AbortSignal) => Promise<WireFile>;

/** A wire form, and why it is the whole layer when a patch was planned. */
interface Made {
  readonly file: WireFile;
  readonly sentWhole?: string;
}

/**
 * Makes the wire form of every blob that some node lacks, each once for all nodes, and gives each away
 * as soon as it is made. A patch that cannot be made, or is no smaller than its layer, gives way to the
 * whole layer.
 *
 * @param make suits the links to the nodes
 */
export function prepareWire(
  context: Pick<Context, 'output' | 'signal'>,
  plans: readonly NodePlan[],
  store: BlobStore,
  make: Make,
): Preparing {
  const wanted = new Map(plans.flatMap(({ send }) => send).map((send) => [nameOf(send), send]));
  const made = new Map([...wanted.keys()].map((name) => [name, promised<Made>()]));
  const steps = [...wanted]
    .filter(([, { form }]) => form !== 'plain')
    .map(([name, send]) => telling(makeStep(name, send, store, make), found(made, name)));
  const small = [...wanted].filter(([, { form }]) => form === 'plain');
  const all = allOf(
    runStage('Compress', steps, { ...looking(context), concurrency: 1, overlaps: true }),
    Promise.all(
      small.map(async ([name, send]) =>
        found(made, name).resolve({ file: await make(send, context.signal) }),
      ),
    ),
  );
  const wire = (send: SendBlob): Promise<Made> => found(made, nameOf(send)).promise;
  all.catch((error: unknown) => made.forEach(({ reject }) => reject(error)));
  const asMadeAll = all.then(() => Promise.all(plans.map((plan) => planAsMade(plan, wire))));
  // Who waits for them may come late.
  asMadeAll.catch(() => undefined);
  return { wire: async (send) => (await wire(send)).file, plans: asMadeAll };
}

/** A promise that somebody keeps later; nobody may be waiting when it breaks. */
function promised<Value>(): PromiseWithResolvers<Value> {
  const kept = Promise.withResolvers<Value>();
  kept.promise.catch(() => undefined);
  return kept;
}

/** The same step, which tells at once what it came to. */
function telling<Out>(step: Step<Out>, { resolve }: PromiseWithResolvers<Out>): Step<Out> {
  const told = (out: Out): Out => {
    resolve(out);
    return out;
  };
  return {
    ...step,
    done: async (run) => {
      const out = await step.done?.(run);
      return out === undefined ? undefined : told(out);
    },
    run: async (run) => told(await step.run(run)),
  };
}

async function planAsMade(
  plan: NodePlan,
  wire: (send: SendBlob) => Promise<Made>,
): Promise<NodePlan> {
  const send = plan.send.map(async (one) => asMade(one, await wire(one)));
  return { ...plan, send: await Promise.all(send) };
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
