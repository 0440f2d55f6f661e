/** Bytes that sshd lets us send on one channel before it has taken them. */
const CHANNEL_WINDOW = 2 * 1024 * 1024;
/** Share of it that a busy channel has under way all the time. */
const FULL = 0.7;
/** Milliseconds over which a rate is measured. */
const WHILE = 1_000;

/** Watches whether the round trip holds a write back, and not the link. */
export interface WriteSpeed {
  /** @param took milliseconds from sending a write to hearing that it was done */
  acknowledged(bytes: number, took: number): void;
  /** True once in a while, when each of so many connections has a full window under way. */
  isHeldBack(connections: number): boolean;
}

/**
 * What is under way is the rate times the round trip of an idle link. A link that is full itself
 * answers late, but its rate times the idle round trip stays below the window.
 *
 * @param roundTrip milliseconds of one question before the first byte; quicker answers correct it
 * @param now milliseconds on a clock that only goes forward
 */
export function writeSpeed(roundTrip: number, now = () => performance.now()): WriteSpeed {
  let shortest = roundTrip;
  let since = now();
  let moved = 0;
  return {
    acknowledged: (bytes, took) => {
      moved += bytes;
      shortest = Math.min(shortest, took);
    },
    isHeldBack: (connections) => {
      const passed = now() - since;
      if (passed < WHILE) return false;
      const underWay = (moved / passed) * shortest;
      since = now();
      moved = 0;
      return underWay > FULL * CHANNEL_WINDOW * connections;
    },
  };
}
