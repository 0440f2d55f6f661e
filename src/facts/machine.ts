import type { Platform } from '../core/image.ts';
import type { Machine } from './node-store.ts';

const PLATFORMS: Readonly<Record<string, Platform>> = {
  x86_64: 'linux/amd64',
  aarch64: 'linux/arm64',
};

/** Platform by what `uname -m` prints. */
export function parsePlatform(text: string): Platform | undefined {
  return PLATFORMS[text.trim()];
}

/** Reads boot id and machine id, one a line, as `cat` prints the two files. */
export function parseMachine(text: string): Machine {
  const [bootId = '', machineId = ''] = text.split('\n').map((line) => line.trim());
  return { bootId, machineId };
}

/** Bytes that programs can still have, of `/proc/meminfo`; 0 when it does not say. */
export function parseMemory(text: string): number {
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) * 1024;
}
