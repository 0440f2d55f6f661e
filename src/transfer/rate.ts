import { randomBytes } from 'node:crypto';
import type { Argv, Remote } from '../core/remote.ts';

/** As little as still tells a home uplink from a data centre. */
const PROBE = 256 * 1024;

/** Enough for a modem. */
const TIMEOUT = 10 * 60_000;

/**
 * Measures the link to a node with a quarter of a megabyte that goes nowhere. The node holds the watch, from
 * the first byte to the last, so that the way there and the start of a command do not count.
 *
 * @returns bytes a second; undefined when the node cannot measure it
 * @throws ShipError as `Remote.run`
 */
export async function measureRate(
  remote: Remote,
  signal: AbortSignal,
): Promise<number | undefined> {
  const script = `dd bs=1 count=1 of=/dev/null 2>/dev/null || exit 1
start=$(date +%s%N) || exit 1
cat > /dev/null
echo "$start $(date +%s%N)"`;
  const argv: Argv = ['sh', '-c', script, 'rate'];
  const input = randomBytes(PROBE);
  const { stdout } = await remote.run(argv, { signal, input, timeout: TIMEOUT, accept: [1] });
  // A date without nanoseconds prints something else, and a clock may be set back meanwhile.
  const [, start, end] = /^(\d{19}) (\d{19})$/.exec(stdout.trim()) ?? [];
  const seconds = (Number(end) - Number(start)) / 1e9;
  return seconds > 0 ? PROBE / seconds : undefined;
}
