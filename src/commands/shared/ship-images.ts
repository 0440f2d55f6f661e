import { randomBytes } from 'node:crypto';
import { shortDigest } from '../../core/digest.ts';
import type { ShipError } from '../../core/errors.ts';
import type { ImageProof, ShipImage } from '../../core/image.ts';
import type { Step } from '../../core/step.ts';
import { hadBefore, type Had } from '../../facts/had-before.ts';
import { proofOf, type NodeStore } from '../../facts/node-store.ts';
import type { BlobStore } from '../../image/store.ts';
import { dropWire, recallWire, wireForm, type WireFile } from '../../image/wire.ts';
import { cleanNode, importStep } from '../../import/import.ts';
import { formatBytes } from '../../output/progress.ts';
import { settleStage, runStage, type Settled } from '../../output/stage.ts';
import { compressor } from '../../system/compress.ts';
import type { Session } from '../../system/ssh/session.ts';
import { planNode, type NodePlan, type SendBlob } from '../../transfer/plan.ts';
import { probeNode } from '../../transfer/probe.ts';
import { sendStep, type Sent } from '../../transfer/send.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import type { LockedFleet } from './lock.ts';
import { shippedData } from './report.ts';
import { looking, perNode } from './stages.ts';

/** What shipping came to on one node. */
export interface ShippedNode {
  readonly node: string;
  readonly state: 'shipped' | 'nothing to do' | 'planned' | 'failed';
  readonly sent: Sent;
  readonly proofs: readonly ImageProof[];
  /** Undefined when the node could not be looked at. */
  readonly had?: Had;
  readonly error?: ShipError;
}

interface Looked {
  readonly store: NodeStore;
  readonly plan: NodePlan;
}

const NOTHING: Sent = { bytes: 0, layers: 0, layerBytes: 0, kept: 0 };

/**
 * Brings images to every node of a fleet: look, compress what is missing somewhere, send, import,
 * prove. A node that fails leaves the others alone.
 *
 * @returns one entry for each node, those that could not be reached among them
 */
export async function shipImages(
  context: Context,
  fleet: LockedFleet,
  images: readonly ShipImage[],
  store: BlobStore,
): Promise<readonly ShippedNode[]> {
  const looked = await lookAtNodes(context, fleet, images);
  const plans = [...looked.results.values()]
    .map(({ plan }) => plan)
    .filter((plan) => plan.images.length > 0);
  await cleanIdle(context, fleet, looked);
  const wire = await prepareWire(context, plans, store);
  const sent = await settleStage(
    'Send',
    plans.map((plan) => sendStep(plan, sessionOf(fleet, plan.node), wire)),
    perNode(context),
  );
  const arrived = plans.filter(({ node }) => sent.results.has(node) || sent.planned.has(node));
  const imported = await importAll(context, fleet, arrived);
  await dropDamaged(store, arrived, imported.failures);
  const failures = new Map([fleet, looked, sent, imported].flatMap((stage) => [...stage.failures]));
  const shipped = [...fleet.sessions.keys(), ...fleet.failures.keys()].map((node) =>
    outcome(node, { looked, sent, imported, failures }, images),
  );
  context.output.record({ nodes: shippedData(shipped, images) });
  return shipped;
}

/** What a node refused for its bytes may be damaged here too; it is made anew the next time. */
async function dropDamaged(
  store: BlobStore,
  plans: readonly NodePlan[],
  failures: ReadonlyMap<string, ShipError>,
): Promise<void> {
  const damaged = plans.filter(({ node }) => failures.get(node)?.kind === 'integrity');
  for (const { blob, form } of damaged.flatMap(({ send }) => send)) {
    await dropWire(store, blob.digest, form);
  }
}

async function lookAtNodes(
  context: Context,
  fleet: Fleet,
  images: readonly ShipImage[],
): Promise<Settled<Looked>> {
  const compression = await compressionOf(context);
  const steps = [...fleet.sessions].map(([node, session]) => lookStep(node, session));
  return settleStage('Look', steps, looking(context));

  function lookStep(node: string, session: Session): Step<Looked> {
    return {
      id: node,
      title: `look what ${node} has`,
      run: async ({ signal }) => {
        const store = await probeNode(session, signal);
        return { store, plan: planNode(node, images, store, compression) };
      },
      describe: ({ plan }) => `${node} ${lackText(plan)}`,
    };
  }
}

/** `lacks 2 of 13 layers`, `has everything`. */
function lackText({ images, present, send }: NodePlan): string {
  if (images.length === 0) return 'has everything';
  const lacking = send.filter(({ blob }) => blob.kind === 'layer').length;
  return `lacks ${lacking} of ${lacking + present.length} layers`;
}

/** Without zstd on this machine everything travels as gzip. */
async function compressionOf({ config }: Context): Promise<'auto' | 'zstd' | 'gzip'> {
  const { compression } = config.transfer;
  return compression === 'auto' && !(await compressor.hasZstd()) ? 'gzip' : compression;
}

/** Makes the wire form of every blob that some node lacks, each once for all nodes. */
async function prepareWire(
  context: Context,
  plans: readonly NodePlan[],
  store: BlobStore,
): Promise<(blob: SendBlob) => WireFile> {
  const wanted = new Map(plans.flatMap(({ send }) => send).map((blob) => [wireKey(blob), blob]));
  const make = ({ blob, form }: SendBlob, signal: AbortSignal): Promise<WireFile> =>
    wireForm(store, blob.digest, form, compressor, signal);
  const layers = [...wanted].filter(([, { form }]) => form !== 'plain');
  const steps = layers.map(([key, send]): Step<WireFile> => ({
    id: key,
    title: `compress layer ${shortDigest(send.blob.digest)}`,
    done: () => recallWire(store, send.blob.digest, send.form),
    run: ({ signal }) => make(send, signal),
    describe: ({ size }) => formatBytes(size),
  }));
  const compressed = await runStage('Compress', steps, { ...looking(context), concurrency: 1 });
  const ready = new Map(compressed);
  for (const [key, send] of wanted) {
    if (send.form === 'plain') ready.set(key, await make(send, context.signal));
  }
  return (blob) => {
    const file = ready.get(wireKey(blob));
    if (file === undefined) throw new Error(`no wire form of ${blob.blob.digest}`);
    return file;
  };
}

function wireKey({ blob, form }: SendBlob): string {
  return `${blob.digest}/${form}`;
}

async function importAll(
  context: Context,
  fleet: LockedFleet,
  plans: readonly NodePlan[],
): Promise<Settled<readonly ImageProof[]>> {
  const token = randomBytes(6).toString('hex');
  const steps = plans.map(({ node, images, send }) => {
    const remote = sessionOf(fleet, node);
    const probe = (signal: AbortSignal): Promise<NodeStore> => probeNode(remote, signal);
    const requireLock = (): void => fleet.requireLock(node);
    return importStep({ node, images, sent: send }, { remote, probe, token, requireLock });
  });
  return settleStage('Import', steps, perNode(context));
}

/** What an earlier, interrupted run left on a node that lacks nothing any more. */
async function cleanIdle(
  { flags, signal }: Context,
  fleet: Fleet,
  looked: Settled<Looked>,
): Promise<void> {
  if (flags.dryRun === true) return;
  const idle = [...looked.results].filter(([, { plan }]) => plan.images.length === 0);
  await Promise.all(idle.map(([node]) => cleanNode(sessionOf(fleet, node), signal)));
}

function sessionOf(fleet: Fleet, node: string): Session {
  const session = fleet.sessions.get(node);
  if (session === undefined) throw new Error(`not connected to ${node}`);
  return session;
}

interface Outcomes {
  readonly looked: Settled<Looked>;
  readonly sent: Settled<Sent>;
  readonly imported: Settled<readonly ImageProof[]>;
  readonly failures: ReadonlyMap<string, ShipError>;
}

function outcome(
  node: string,
  { looked, sent, imported, failures }: Outcomes,
  images: readonly ShipImage[],
): ShippedNode {
  const error = failures.get(node);
  const store = looked.results.get(node)?.store;
  const base = {
    node,
    sent: sent.results.get(node) ?? NOTHING,
    ...(store === undefined ? {} : { had: hadBefore(store, images) }),
  };
  if (error !== undefined) return { ...base, state: 'failed', proofs: [], error };
  if (imported.planned.has(node)) return { ...base, state: 'planned', proofs: [] };
  const before = images.flatMap((image) => (store && proofOf(store, image)) ?? []);
  const after = imported.results.get(node) ?? [];
  const newer = new Set(after.map(({ key }) => key));
  return {
    ...base,
    state: after.length > 0 ? 'shipped' : 'nothing to do',
    proofs: [...before.filter(({ key }) => !newer.has(key)), ...after],
  };
}
