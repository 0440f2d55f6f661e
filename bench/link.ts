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
const RATES: Readonly<Record<Link, readonly [string, string] | undefined>> = {
  unshaped: undefined,
  '1gbit': ['1gbit', '256kb'],
  '100mbit': ['100mbit', '64kb'],
  '20mbit': ['20mbit', '32kb'],
};

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
      const limits = ['rate', rate[0], 'burst', rate[1], 'latency', '50ms'];
      await sh('tc', ['qdisc', 'replace', 'dev', bridge, 'root', 'tbf', ...limits]);
      return async () => {
        await sh('tc', ['qdisc', 'del', 'dev', bridge, 'root']);
      };
    },
  };
}
