import type { Argv, Remote } from '../core/remote.ts';
import { parseDriver } from './system.ts';

/** A feature of an interface; a fixed one is what the driver has no switch for. */
export interface Feature {
  readonly on: boolean;
  readonly fixed: boolean;
}

/** Queues of one kind: how many there are, and can be. */
export interface Queues {
  readonly now: number;
  readonly most: number;
}

/** Queues of an interface, by the names that ethtool sets them under. */
export type Channels = Readonly<Partial<Record<'rx' | 'tx' | 'combined', Queues>>>;

/** What a driver has switches for on one interface. */
export interface Offloads {
  readonly device: string;
  readonly driver: string | undefined;
  /** Undefined when there is no such interface. */
  readonly mac: string | undefined;
  /** By the names that `ethtool -k` prints. */
  readonly features: ReadonlyMap<string, Feature>;
  readonly channels: Channels;
}

/** Features of `ethtool -k`: `large-receive-offload: off [fixed]`. */
export function parseFeatures(text: string): ReadonlyMap<string, Feature> {
  const rows = text.matchAll(/^\s*([a-z0-9_-]+): (on|off)( \[fixed\])?/gm);
  return new Map(
    [...rows].map(([, name = '', state, fixed]) => [
      name,
      { on: state === 'on', fixed: fixed !== undefined },
    ]),
  );
}

/** Queues of `ethtool -l`: the maxima come first, then what is set; `n/a` and 0 are none. */
export function parseChannels(text: string): Channels {
  const [most = '', now = ''] = text.split('Current hardware settings:');
  const kinds = ['rx', 'tx', 'combined'] as const;
  return Object.fromEntries(
    kinds.flatMap((kind) => {
      const [has, can] = [countOf(now, kind), countOf(most, kind)];
      return has > 0 && can > 0 ? [[kind, { now: has, most: can }]] : [];
    }),
  );
}

function countOf(text: string, kind: string): number {
  return Number(new RegExp(`^${kind}:\\s+(\\d+)$`, 'im').exec(text)?.[1] ?? 0);
}

/** No such interface, not supported, and a program that is missing. */
const SILENT = [1, 2, 71, 75, 76, 81, 92, 126, 127] as const;

/**
 * Asks what an interface can do and does. Changes nothing.
 *
 * @throws ShipError `network`, `identity`
 */
export async function readOffloads(
  remote: Remote,
  device: string,
  signal: AbortSignal,
): Promise<Offloads> {
  const ask = async (...argv: Argv): Promise<string> =>
    (await remote.run(argv, { sudo: true, signal, accept: SILENT })).stdout;
  const [mac, driver, features, channels] = await Promise.all([
    ask('cat', `/sys/class/net/${device}/address`),
    ask('ethtool', '-i', device),
    ask('ethtool', '-k', device),
    ask('ethtool', '-l', device),
  ]);
  return {
    device,
    driver: parseDriver(driver),
    mac: mac.trim() || undefined,
    features: parseFeatures(features),
    channels: parseChannels(channels),
  };
}
