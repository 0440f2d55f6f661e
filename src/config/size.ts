import { ShipError } from '../core/errors.ts';

/** Bytes of one unit. */
const UNITS = { mb: 1_000_000, gb: 1_000_000_000, tb: 1_000_000_000_000 } as const;

/** What a size looks like in a config. */
export const SIZE = /^\d{1,5}(\.\d{1,3})?(mb|gb|tb)$/i;

/**
 * Bytes of `500MB` or `20GB`.
 *
 * @throws ShipError `usage` for anything else
 */
export function parseSize(text: string): number {
  const unit = SIZE.exec(text)?.[2]?.toLowerCase() as keyof typeof UNITS | undefined;
  if (unit !== undefined) return Math.round(Number.parseFloat(text) * UNITS[unit]);
  throw new ShipError('usage', `"${text}" is not a size`, { hint: 'write 500MB or 20GB' });
}
