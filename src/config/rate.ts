import { ShipError } from '../core/errors.ts';

/** Bytes per second of one unit. */
const UNITS = {
  kbit: 125,
  mbit: 125_000,
  gbit: 125_000_000,
  kb: 1000,
  mb: 1_000_000,
  gb: 1_000_000_000,
} as const;

/** What a rate looks like in flags and config. */
export const RATE = /^\d{1,5}(\.\d{1,3})?(kbit|mbit|gbit|kb|mb|gb)$/i;

/**
 * Bytes per second of `20Mbit` or `2.5MB`.
 *
 * @throws ShipError `usage` for anything else, and for a rate that would never end
 */
export function parseRate(text: string): number {
  const unit = RATE.exec(text)?.[2]?.toLowerCase() as keyof typeof UNITS | undefined;
  const rate = unit === undefined ? 0 : Math.round(Number.parseFloat(text) * UNITS[unit]);
  if (rate > 0) return rate;
  throw new ShipError('usage', `"${text}" is not a rate`, { hint: 'write 20Mbit or 2.5MB' });
}
