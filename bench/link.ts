import { readFileSync } from 'node:fs';
import { docker } from '../lab/docker.ts';
import { NETWORKS } from '../lab/settings.ts';
import { sh } from '../lab/shell.ts';
import type { Link } from './row.ts';

/** The uplink of this machine: everything that it sends to the nodes leaves through one bridge. */
export interface Uplink {
  /** Bytes that left through it so far, headers included. */
  sentBytes(): number;
  /** Gives it the rate of a link until the returned function is called. */
  shape(link: Link): Promise<() => Promise<void>>;
}

/** `tc tbf`: a rate, and how much may leave at once. */
const RATES: Readonly<Record<Link, { readonly bits: number; readonly burst: string } | undefined>> =
  {
    unshaped: undefined,
    '1gbit': { bits: 1e9, burst: '256kb' },
    '100mbit': { bits: 1e8, burst: '64kb' },
    '20mbit': { bits: 2e7, burst: '32kb' },
  };

/** Seconds that bytes are under way on a link; 0 on one that is not shaped. */
export function wireSeconds(bytes: number, link: Link): number {
  const rate = RATES[link];
  return rate === undefined ? 0 : (bytes * 8) / rate.bits;
}

/** The bridge of the management network, which the nodes are reached through. */
export async function openUplink(): Promise<Uplink> {
  const id = await docker('network', 'inspect', '--format={{.Id}}', NETWORKS.management.name);
  const bridge = `br-${id.slice(0, 12)}`;
  return {
    sentBytes: () =>
      Number(readFileSync(`/sys/class/net/${bridge}/statistics/tx_bytes`, 'utf8').trim()),
    shape: async (link) => {
      const rate = RATES[link];
      if (rate === undefined) return async () => undefined;
      const limits = ['rate', `${rate.bits}bit`, 'burst', rate.burst, 'latency', '50ms'];
      await sh('tc', ['qdisc', 'replace', 'dev', bridge, 'root', 'tbf', ...limits]);
      return async () => {
        await sh('tc', ['qdisc', 'del', 'dev', bridge, 'root']);
      };
    },
  };
}
