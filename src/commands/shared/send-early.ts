import pLimit, { type LimitFunction } from 'p-limit';
import type { Run } from '../../core/step.ts';
import type { WireFile } from '../../image/wire.ts';
import { decodeAll } from '../../import/decode.ts';
import { endLeft } from '../../import/end.ts';
import { cleanNode } from '../../import/import.ts';
import { sendStep, type Sent, type SendOptions } from '../../transfer/send.ts';
import type { Session } from '../../system/ssh/session.ts';
import type { SendBlob } from '../../transfer/plan.ts';
import type { Context } from '../command.ts';
import { linkTo, sessionOf, type LockedFleet } from './lock.ts';
import { perNode } from './stages.ts';

/** Layers that travel while an export goes on, until this is disposed of. */
export interface EarlySending extends AsyncDisposable {
  /** Sends a layer to a node of ours after the ones before it, and decodes it there. */
  readonly send: (node: string, send: SendBlob, file: WireFile) => void;
  /**
   * Ends the early sending to a node: the plan goes on with what has not begun.
   *
   * @param progress told how many bytes were under way by then, while what has begun comes to its end
   * @returns what travelled
   */
  readonly take: (node: string, progress: (bytes: number) => void) => Promise<Sent>;
}

interface Way {
  readonly inTurn: LimitFunction;
  readonly sent: Sent[];
  taken: boolean;
  /** Whether anything of ours may lie on the node. */
  begun: boolean;
  underWay: number;
  progress: (bytes: number) => void;
}

const NOTHING: Sent = { bytes: 0, layers: 0, layerBytes: 0, kept: 0, seconds: 0 };

/**
 * Sends layers before the plan is made: Docker is still busy then, and the link is idle. What fails is
 * left to the plan, which goes on where it stopped; what nobody takes is removed from the nodes.
 */
export function sendEarly(
  context: Context,
  fleet: LockedFleet,
  options: SendOptions,
): EarlySending {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const atOnce = pLimit(perNode(context).concurrency ?? Number.POSITIVE_INFINITY);
  const ways = new Map([...fleet.sessions.keys()].map((node) => [node, newWay()]));
  const sendOne = async (node: string, way: Way, send: SendBlob, file: WireFile): Promise<void> => {
    if (way.taken || signal.aborted) return;
    way.begun = true;
    const before = sumOf(way.sent).bytes;
    const run: Run = {
      signal,
      progress: (progress) => {
        if ('bytes' in progress) way.underWay = before + progress.bytes;
        way.progress(way.underWay);
      },
    };
    const receive: SendOptions['receive'] = (one, running) =>
      decodeAll(node, [one], sessionOf(fleet, node), running, leaveToPlan);
    const plan = { node, images: [], present: [], send: [send] };
    const step = sendStep(plan, linkTo(fleet, node), () => file, { ...options, receive });
    way.sent.push(await step.run(run));
  };
  return {
    send: (node, send, file) => {
      const way = ways.get(node);
      if (way === undefined) return;
      way.inTurn(() => atOnce(sendOne, node, way, send, file)).catch(() => undefined);
    },
    take: async (node, progress) => {
      const way = ways.get(node);
      if (way === undefined) return NOTHING;
      Object.assign(way, { taken: true, progress });
      // What has not begun passes here at once, after what has.
      await way.inTurn(() => undefined);
      return sumOf(way.sent);
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort(new Error('nobody needs it any more'));
      await Promise.all([...ways.values()].map((way) => way.inTurn(() => undefined)));
      const left = [...ways].filter(([, { taken, begun }]) => begun && !taken);
      await Promise.allSettled(left.map(([node]) => removeSent(sessionOf(fleet, node))));
    },
  };
}

/** Milliseconds to remove what was sent for nothing. */
const CLEANING = 10_000;

/** What an import of a killed run still reads there would be gone, and nothing would tell of it. */
async function removeSent(session: Session): Promise<void> {
  const signal = AbortSignal.timeout(CLEANING);
  await endLeft(session, signal);
  await cleanNode(session, signal);
}

function newWay(): Way {
  return {
    inTurn: pLimit(1),
    sent: [],
    taken: false,
    begun: false,
    underWay: 0,
    progress: () => undefined,
  };
}

/** A patch that a node refuses is tried once more by the plan, which has the whole layer at hand. */
async function leaveToPlan(): Promise<never> {
  throw new Error('the plan sends it whole');
}

/** What travelled in several goes, as one. */
export function sumOf(all: readonly Sent[]): Sent {
  return all.reduce(
    (sum, one) => ({
      bytes: sum.bytes + one.bytes,
      layers: sum.layers + one.layers,
      layerBytes: sum.layerBytes + one.layerBytes,
      kept: sum.kept + one.kept,
      seconds: (sum.seconds ?? 0) + (one.seconds ?? 0),
    }),
    NOTHING,
  );
}
