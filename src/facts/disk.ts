import { ShipError } from '../core/errors.ts';

/**
 * Bytes that are free, of `df -P -B1 PATH`.
 *
 * @throws ShipError `storage` when df printed something else
 */
export function parseFree(text: string): number {
  const columns = text.trim().split('\n').at(-1)?.trim().split(/\s+/) ?? [];
  const free = Number(columns[3]);
  if (columns.length >= 6 && Number.isSafeInteger(free)) return free;
  throw new ShipError('storage', `df printed no free space: ${text.slice(0, 80)}`);
}

/**
 * Per cent in use as the kubelet counts it, of `df -P -B1 PATH`: all that is not free for everyone,
 * also what is kept for root. Undefined when df printed something else.
 */
export function parseDiskUse(text: string): number | undefined {
  const columns = text.trim().split('\n').at(-1)?.trim().split(/\s+/) ?? [];
  const [size, free] = [Number(columns[1]), Number(columns[3])];
  return size > 0 && free >= 0 ? 100 - Math.floor((free * 100) / size) : undefined;
}
