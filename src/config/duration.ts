import { ShipError } from '../core/errors.ts';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/**
 * Milliseconds of `90s`, `5m`, `1h` or `250ms`.
 *
 * @throws ShipError `usage` for anything else
 */
export function parseDuration(text: string): number {
  const match = /^(\d{1,6})(ms|s|m|h)$/.exec(text);
  if (match === null) {
    throw new ShipError('usage', `"${text}" is not a duration`, { hint: 'write 90s, 5m or 1h' });
  }
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}
