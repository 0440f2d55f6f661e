import { formatSeconds } from '../core/text.ts';
import { isPatch, type WireForm } from '../core/wire.ts';

/** What a blob is expected to cost on its way from our store into a node's layout. */
export interface Cost {
  /** Bytes that travel. */
  readonly bytes: number;
  /** Undefined when nobody knows how fast the link is. */
  readonly seconds: number | undefined;
}

/** What one form makes of a layer: its share of the bytes, and bytes of layer a second at each end. */
interface Ends {
  readonly share: number;
  readonly make: number;
  /** Decoding and hashing; of a patch also hashing the base. */
  readonly apply: number;
}

/**
 * Measured on two cores with layers of rebuilt Go programs (157 and 196 MB). Only their order
 * matters much: they decide between a patch and a whole layer.
 */
const ENDS: Readonly<Record<'zstd' | 'gzip' | 'plain' | 'patch', Ends>> = {
  zstd: { share: 0.27, make: 260e6, apply: 360e6 },
  gzip: { share: 0.31, make: 33e6, apply: 150e6 },
  plain: { share: 1, make: Number.POSITIVE_INFINITY, apply: 500e6 },
  patch: { share: 0.03, make: 100e6, apply: 152e6 },
};

/**
 * What to expect of a blob in a form.
 *
 * @param made bytes of that form when it lies ready
 * @param rate bytes a second to the node
 */
export function costOf(
  size: number,
  form: WireForm,
  made: number | undefined,
  rate: number | undefined,
): Cost {
  const { share, make, apply } = ENDS[isPatch(form) ? 'patch' : form];
  const bytes = made ?? Math.ceil(size * share);
  const making = made === undefined ? size / make : 0;
  const seconds = rate === undefined ? undefined : making + bytes / rate + size / apply;
  return { bytes, seconds };
}

/**
 * Whether `one` is expected to be there before `other`. While nobody knows the rate the one with
 * fewer bytes is: at worst that wastes a second of processor time, and not minutes of a slow link.
 */
export function isFaster(one: Cost, other: Cost): boolean {
  if (one.seconds === undefined || other.seconds === undefined) return one.bytes < other.bytes;
  return one.seconds < other.seconds;
}

/** `6.9 MB`, or `6.9 kB` of what is smaller, for people. */
export function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `6.9 MB in about 3.4 s`, for people. */
export function costText({ bytes, seconds }: Cost): string {
  const size = sizeText(bytes);
  return seconds === undefined
    ? `${size}, rate unknown`
    : `${size} in about ${formatSeconds(seconds)}`;
}

/** What several things cost that are done one after the other. */
export function totalCost(costs: readonly Cost[]): Cost {
  const known = costs.every(({ seconds }) => seconds !== undefined);
  const sum = (of: (cost: Cost) => number): number => costs.reduce((all, one) => all + of(one), 0);
  const seconds = known ? sum((cost) => cost.seconds ?? 0) : undefined;
  return { bytes: sum(({ bytes }) => bytes), seconds };
}
