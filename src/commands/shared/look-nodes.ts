import type { Layered, ShipImage } from '../../core/image.ts';
import type { Step } from '../../core/step.ts';
import { isProved, proofOf, type NodeStore } from '../../facts/node-store.ts';
import { earlierLayers } from '../../image/earlier.ts';
import type { BlobStore } from '../../image/store.ts';
import { hasLeft, sweepNode } from '../../import/sweep.ts';
import { madeWires } from '../../image/wire.ts';
import { settleStage, type Settled } from '../../output/stage.ts';
import { compressor, type Weakest } from '../../system/compress.ts';
import type { Session } from '../../system/ssh/session.ts';
import { costText, totalCost } from '../../transfer/cost.ts';
import { planNode, type NodePlan, type Planning } from '../../transfer/plan.ts';
import { probeImages, probeNode } from '../../transfer/probe.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import { rateTo } from './link-rates.ts';
import { looking } from './stages.ts';

/** What a node has, and what that leaves to do. */
export interface Looked {
  readonly store: NodeStore;
  readonly plan: NodePlan;
  /** Bytes a second to it, when something is to be sent and somebody knows. */
  readonly rate: number | undefined;
}

/** A node that is being asked. Who waits for an answer hears of its failure. */
export interface AskedNode {
  /** What it has. */
  readonly store: Promise<NodeStore>;
  /** Bytes a second to it, measured when somebody wants to know unless the link was used a moment ago. */
  readonly rate: () => Promise<number | undefined>;
}

/** What each node has, as it will answer. */
export type Asked = ReadonlyMap<string, AskedNode>;

/** Asks every node of ours what it has, and waits for no answer. */
export function askNodes(context: Context, { sessions }: Fleet): Asked {
  return new Map(
    [...sessions].map(([node, session]) => [node, askNode(session, context, sessions.size)]),
  );
}

function askNode(session: Session, context: Context, sharing: number): AskedNode {
  const { signal } = context;
  const store = readStore(session, context);
  store.catch(() => undefined);
  let rate: Promise<number | undefined> | undefined;
  return { store, rate: () => (rate ??= rateTo(session, context, sharing, signal)) };
}

/** What a killed import left goes first, and nobody plans with it. */
async function readStore(session: Session, { flags, signal }: Context): Promise<NodeStore> {
  const store = await probeNode(session, signal);
  if (flags.dryRun === true || !hasLeft(store)) return store;
  await sweepNode(session, store, (until) => probeImages(session, until), signal);
  return probeNode(session, signal);
}

/**
 * Waits until every node has said what it has, and plans what to send. The link to a node that lacks
 * something is measured first, unless it was used a moment ago.
 *
 * @param store holds the images, and earlier ones that theirs may be patches of
 * @throws ShipError `interrupted`
 */
export async function lookAtNodes(
  context: Context,
  asked: Asked,
  images: readonly ShipImage[],
  store: BlobStore,
): Promise<Settled<Looked>> {
  const planning = await planningFor(context, images, store);
  const steps = [...asked].map(([node, one]): Step<Looked> => ({
    id: node,
    title: `look what ${node} has`,
    run: async () => {
      const found = await one.store;
      const idle = images.every((image) => isProved(proofOf(found, image)));
      const rate = idle ? undefined : await one.rate();
      return { store: found, rate, plan: planNode(node, images, found, { ...planning, rate }) };
    },
    describe: ({ plan }) => `${node} ${lackText(plan)}`,
  }));
  return settleStage('Look', steps, looking(context));
}

/** What the slowest link and the smallest memory are among nodes that something is sent to. */
export function weakestOf(lacking: readonly Pick<Looked, 'rate' | 'store'>[]): Weakest {
  const rates = lacking.flatMap(({ rate }) => rate ?? []);
  return {
    rate: rates.length === 0 ? undefined : Math.min(...rates),
    memory: Math.min(...lacking.map(({ store }) => store.memory)),
  };
}

/** What all nodes are planned by. Without zstd on this machine everything travels as gzip. */
export async function planningFor(
  { config }: Context,
  images: readonly Layered[],
  store: BlobStore,
): Promise<Omit<Planning, 'rate'>> {
  const { compression, patch } = config.transfer;
  const { zstd, patches } = await compressor.abilities();
  return {
    compression: compression === 'auto' && !zstd ? 'gzip' : compression,
    patch,
    canPatch: patches,
    earlier: await earlierLayers(store, images),
    made: await madeWires(store),
  };
}

/** `lacks 2 of 13 layers: 8.2 MB in about 3.4 s`, `has everything`. */
function lackText({ images, present, send }: NodePlan): string {
  if (images.length === 0) return 'has everything';
  const lacking = send.filter(({ blob }) => blob.kind === 'layer').length;
  const cost = totalCost(send.map(({ expected }) => expected));
  return `lacks ${lacking} of ${lacking + present.length} layers: ${costText(cost)}`;
}
