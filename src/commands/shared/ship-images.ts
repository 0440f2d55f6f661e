import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import type { ImageProof, ShipImage } from '../../core/image.ts';
import type { Run, Step } from '../../core/step.ts';
import type { NodeImages } from '../../facts/node-store.ts';
import { rememberImages } from '../../image/earlier.ts';
import type { BlobStore } from '../../image/store.ts';
import { decodeAll } from '../../import/decode.ts';
import { giveBack } from '../../import/give-back.ts';
import { cleanNode, importStep } from '../../import/import.ts';
import { sweepNode } from '../../import/sweep.ts';
import { settleStage, type Settled } from '../../output/stage.ts';
import { together } from '../../output/together.ts';
import { compressorFor } from '../../system/compress.ts';
import type { NodePlan } from '../../transfer/plan.ts';
import { probeImages } from '../../transfer/probe.ts';
import { sendStep, type Arrived, type Sent, type SendOptions } from '../../transfer/send.ts';
import type { Context } from '../command.ts';
import { dropDamaged, dropRefused } from './drop-wires.ts';
import type { Fleet } from './fleet.ts';
import { timed } from './link-rates.ts';
import { linkTo, sessionOf, type LockedFleet } from './lock.ts';
import { askNodes, lookAtNodes, weakestOf, type Asked, type Looked } from './look-nodes.ts';
import { packLate, type MakeWire } from './pack-early.ts';
import { prepareWire, type Preparing } from './prepare-wire.ts';
import { shippedData } from './report.ts';
import { wholeSender, type WholeSender } from './send-whole.ts';
import { sumOf, type EarlySending } from './send-early.ts';
import { sendOptions } from './send-options.ts';
import { outcome, type ShippedNode } from './shipped-node.ts';
import { perNode } from './stages.ts';

/** What happens beside the shipping. */
export interface Beside {
  /** What the nodes have, when they were asked since they are ours. */
  readonly asked?: Asked;
  readonly makeWire?: MakeWire;
  /** How blobs travel, by one way out of this machine. */
  readonly options?: SendOptions;
  /** Layers that travel already. */
  readonly early?: Pick<EarlySending, 'take'>;
  /** Called when nothing travels any more and something is imported: this machine is idle then. */
  readonly whenSent?: () => void;
}

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
  {
    asked = askNodes(context, fleet),
    makeWire = packLate(store),
    options = sendOptions(context),
    early = NOTHING_EARLY,
    whenSent,
  }: Beside = {},
): Promise<readonly ShippedNode[]> {
  const looked = await lookAtNodes(context, asked, images, store);
  const planned = [...looked.results.values()]
    .map(({ plan }) => plan)
    .filter((plan) => plan.images.length > 0)
    .map(smallestFirst);
  await cleanIdle(context, fleet, looked);
  if (context.flags.dryRun !== true) await rememberImages(store, images);
  const compressor = compressorFor(weakestOf(lackingOf(looked)));
  const preparing = prepareWire(context, planned, store, (send, signal) =>
    makeWire(send, compressor, signal),
  );
  // What a dry run prints is how a blob would travel in the end.
  const toSend = context.flags.dryRun === true ? await preparing.plans : planned;
  const senders = new Map(
    toSend.map((plan) => [
      plan.node,
      wholeSender(plan, sessionOf(fleet, plan.node), store, options.uplink),
    ]),
  );
  const shipping = { context, fleet, looked, senders, options, early };
  const sending = sendAll(shipping, toSend, preparing);
  const importing = importAll(shipping, toSend, sending.arrived);
  if (toSend.length > 0) void sending.settled.then(whenSent, () => undefined);
  const [plans, sent, imported] = await together(
    context.output,
    preparing.plans,
    sending.settled,
    importing,
  );
  const arrived = plans.filter(({ node }) => sent.results.has(node) || sent.planned.has(node));
  await dropDamaged(store, plans, new Map([...sent.failures, ...imported.failures]));
  await dropRefused(store, plans, senders);
  const failures = new Map([fleet, looked, sent, imported].flatMap((stage) => [...stage.failures]));
  const known = new Set([...fleet.sessions.keys(), ...fleet.failures.keys()]);
  const inOrder = context.config.nodes.map(({ name }) => name).filter((name) => known.has(name));
  const shipped = inOrder.map((node) =>
    outcome(node, { looked, plans: arrived, senders, sent, imported, failures }, images),
  );
  context.output.record({ nodes: shippedData(shipped, images) });
  return shipped;
}

function lackingOf({ results }: Settled<Looked>): readonly Looked[] {
  return [...results.values()].filter(({ plan }) => plan.send.length > 0);
}

/** So that the way is never idle for long, and what is small is there first. */
function smallestFirst(plan: NodePlan): NodePlan {
  return { ...plan, send: plan.send.toSorted((one, other) => one.blob.size - other.blob.size) };
}

/** What sending and importing work with. */
interface Shipping {
  readonly context: Context;
  readonly fleet: LockedFleet;
  readonly looked: Settled<Looked>;
  readonly senders: ReadonlyMap<string, WholeSender>;
  readonly options: SendOptions;
  readonly early: Pick<EarlySending, 'take'>;
}

/** Blobs that are on their way. */
interface UnderWay {
  readonly settled: Promise<Settled<Sent>>;
  /** Whether everything for a node arrived there, or would in a dry run, as soon as that is known. */
  readonly arrived: (node: string) => Promise<boolean>;
}

/** Every blob is decoded and hashed on its node while the next one travels. */
function sendAll(
  { context, fleet, senders, options, early }: Shipping,
  plans: readonly NodePlan[],
  { wire }: Preparing,
): UnderWay {
  const arrivals = new Map(plans.map(({ node }) => [node, Promise.withResolvers<boolean>()]));
  const steps = plans.map((plan) => {
    const { node } = plan;
    const session = sessionOf(fleet, node);
    const receive = (one: Arrived, run: Run): Promise<void> =>
      decodeAll(node, [one], session, run, found(senders, node).send);
    const planned = sendStep(plan, linkTo(fleet, node), wire, { ...options, receive });
    const step = timed(afterEarly(planned, plan, early), node, context);
    const run = async (running: Run): Promise<Sent> => {
      const sent = await step.run(running).catch(async (error: unknown) => {
        await giveBack(error, plan.send, session);
        throw error;
      });
      arrivals.get(node)?.resolve(true);
      return sent;
    };
    return { ...step, run };
  });
  const settled = settleStage('Send', steps, { ...perNode(context), overlaps: true });
  const end = (sent?: Settled<Sent>): void =>
    arrivals.forEach(({ resolve }, node) => resolve(sent?.planned.has(node) === true));
  settled.then(end, () => end());
  return { settled, arrived: async (node) => (await arrivals.get(node)?.promise) === true };
}

const NOTHING_EARLY: Pick<EarlySending, 'take'> = { take: async () => sumOf([]) };

/** The same step, which goes on where the early sending to its node ends, and counts both. */
function afterEarly(
  step: Step<Sent>,
  { node, send }: NodePlan,
  early: Pick<EarlySending, 'take'>,
): Step<Sent> {
  const total = send.reduce((sum, { expected }) => sum + expected.bytes, 0);
  return {
    ...step,
    run: async (run) => {
      const before = await early.take(node, (bytes) => run.progress({ bytes, total }));
      const sent = await step.run(run);
      return { ...sumOf([before, sent]), kept: sent.kept - before.layers };
    },
  };
}

/** A node imports as soon as everything for it arrived, whatever the others are at. */
async function importAll(
  { context, fleet, looked, senders }: Shipping,
  plans: readonly NodePlan[],
  arrived: UnderWay['arrived'],
): Promise<Settled<readonly ImageProof[]>> {
  const token = randomBytes(6).toString('hex');
  const { maxRate, servers } = context.config.import;
  const serversInTurn = pLimit(servers);
  const isServer = (name: string): boolean =>
    context.config.nodes.some((node) => node.name === name && node.role === 'server');
  const steps = plans.map(({ node, images, send }) => {
    const remote = sessionOf(fleet, node);
    const probe = (signal: AbortSignal): Promise<NodeImages> => probeImages(remote, signal);
    const { store: before } = found(looked.results, node);
    const sendWhole = found(senders, node).send;
    const tools = {
      ...{ remote, probe, before, token, maxRate, sendWhole },
      requireLock: (): Promise<void> => fleet.confirmLock(node),
      unheld: sessionOf(fleet.unheld, node),
      keepLock: (why: unknown): void => fleet.keepLock(node, why),
    };
    const ready = arrived(node);
    const step = { ...importStep({ node, images, sent: send }, tools), ready };
    return isServer(node) ? { ...step, run: (run: Run) => serversInTurn(step.run, run) } : step;
  });
  return settleStage('Import', steps, { ...perNode(context), overlaps: true });
}

function found<Value>(values: ReadonlyMap<string, Value>, node: string): Value {
  const value = values.get(node);
  if (value === undefined) throw new Error(`nothing is planned for ${node}`);
  return value;
}

/** What an earlier, interrupted run left on a node that lacks nothing any more. */
async function cleanIdle(
  { flags, signal }: Context,
  fleet: Fleet,
  looked: Settled<Looked>,
): Promise<void> {
  if (flags.dryRun === true) return;
  const idle = [...looked.results].filter(([, { plan }]) => plan.images.length === 0);
  const clean = idle.map(async ([node, { store }]) => {
    const session = sessionOf(fleet, node);
    await sweepNode(session, store, (until) => probeImages(session, until), signal);
    await cleanNode(session, signal);
  });
  await Promise.all(clean);
}
