import type { ShipImage } from '../../core/image.ts';
import type { Step } from '../../core/step.ts';
import { isProved, proofOf, type NodeStore } from '../../facts/node-store.ts';
import { earlierLayers } from '../../image/earlier.ts';
import type { BlobStore } from '../../image/store.ts';
import { madeWires } from '../../image/wire.ts';
import { settleStage, type Settled } from '../../output/stage.ts';
import { compressor, type Weakest } from '../../system/compress.ts';
import { costText, totalCost } from '../../transfer/cost.ts';
import { planNode, type NodePlan, type Planning } from '../../transfer/plan.ts';
import { probeNode } from '../../transfer/probe.ts';
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

/** What each node has, as it will answer. */
export type Asked = ReadonlyMap<string, Promise<NodeStore>>;

/** Asks every node what it has, and waits for no answer. Who waits for one hears of its failure. */
export function askNodes({ signal }: Pick<Context, 'signal'>, { sessions }: Fleet): Asked {
  const asked = new Map([...sessions].map(([node, session]) => [node, probeNode(session, signal)]));
  for (const answer of asked.values()) answer.catch(() => undefined);
  return asked;
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
  { fleet, asked }: { readonly fleet: Fleet; readonly asked: Asked },
  images: readonly ShipImage[],
  store: BlobStore,
): Promise<Settled<Looked>> {
  const planning = await planningFor(context, images, store);
  const steps = [...fleet.sessions].map(([node, session]): Step<Looked> => ({
    id: node,
    title: `look what ${node} has`,
    run: async ({ signal }) => {
      const found = await (asked.get(node) ?? probeNode(session, signal));
      const idle = images.every((image) => isProved(proofOf(found, image)));
      const rate = idle ? undefined : await rateTo(session, context, fleet.sessions.size, signal);
      return { store: found, rate, plan: planNode(node, images, found, { ...planning, rate }) };
    },
    describe: ({ plan }) => `${node} ${lackText(plan)}`,
  }));
  return settleStage('Look', steps, looking(context));
}

/** What the slowest link and the smallest memory are among the nodes that something is sent to. */
export function weakestOf({ results }: Settled<Looked>): Weakest {
  const lacking = [...results.values()].filter(({ plan }) => plan.send.length > 0);
  const rates = lacking.flatMap(({ rate }) => rate ?? []);
  return {
    rate: rates.length === 0 ? undefined : Math.min(...rates),
    memory: Math.min(...lacking.map(({ store }) => store.memory)),
  };
}

/** Without zstd on this machine everything travels as gzip. */
async function planningFor(
  { config }: Context,
  images: readonly ShipImage[],
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
