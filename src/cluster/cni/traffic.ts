import type { Remote } from '../../core/remote.ts';
import { networkOf, type Probe } from './probe.ts';

/** Pings that were sent, and those of them that nobody answered. */
export interface Traffic {
  readonly sent: number;
  readonly lost: number;
}

/** Five pings in a second; an answer that takes longer than one is lost. */
const ROUND = ['ping', '-q', '-c', '5', '-i', '0.2', '-W', '1'] as const;

/**
 * Pings one probe out of another, second after second until it is stopped, and counts. A round that
 * the node itself could not begin is left out: it says nothing about pods.
 *
 * @param stop ends it; what is under way is counted
 * @throws ShipError `storage` as `reachProbes`
 */
export async function countLost(
  from: Probe,
  to: Probe,
  remote: Remote,
  { stop, signal }: { readonly stop: AbortSignal; readonly signal: AbortSignal },
): Promise<Traffic> {
  const netns = await networkOf(from, remote, signal);
  const argv = ['ip', 'netns', 'exec', netns, ...ROUND, to.address] as const;
  let all: Traffic = { sent: 0, lost: 0 };
  while (!stop.aborted) {
    const { stdout } = await remote.run(argv, { sudo: true, signal, accept: [1, 2] });
    all = added(all, parsePing(stdout));
  }
  return all;
}

/** `5 packets transmitted, 4 received, 20% packet loss, time 804ms`, also with errors in between. */
function parsePing(text: string): Traffic {
  const found = /(\d+) packets transmitted, (\d+) received/.exec(text);
  const [sent, received] = [Number(found?.[1] ?? 0), Number(found?.[2] ?? 0)];
  return { sent, lost: sent - received };
}

/** Both together. */
export function added(one: Traffic, other: Traffic): Traffic {
  return { sent: one.sent + other.sent, lost: one.lost + other.lost };
}
