import { readdirSync, readFileSync } from 'node:fs';

const PAGE = 4096;
const EVERY = 50;

/** Looks at the memory of a process and all below it until told to stop. */
export function watchMemory(root: number): { stop(): number } {
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, residentBytes(root));
  };
  const timer = setInterval(look, EVERY);
  return {
    /** @returns the most megabytes seen */
    stop: () => {
      clearInterval(timer);
      return peak / 1e6;
    },
  };
}

/** Bytes that a process and all below it hold in memory, pages that they share counted for each. */
function residentBytes(pid: number): number {
  const pages = Number(readProc(pid, 'statm').split(' ')[1] ?? 0);
  const below = childrenOf(pid).map(residentBytes);
  return below.reduce((sum, bytes) => sum + bytes, pages * PAGE);
}

function childrenOf(pid: number): readonly number[] {
  const children = threadsOf(pid).map((thread) => readProc(pid, `task/${thread}/children`));
  return children.join(' ').split(' ').filter(Boolean).map(Number);
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Empty when the process has ended meanwhile. */
function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

/** Processor seconds of one process so far, from /proc. */
export function processorSeconds(pid: number): number {
  const fields = readProc(pid, 'stat').split(') ')[1]?.split(' ') ?? [];
  const ticks = fields.slice(11, 15).map(Number);
  return ticks.reduce((sum, value) => sum + value, 0) / 100;
}

/**
 * Seconds that bash's `times` tells of all children that it waited for, theirs among them.
 *
 * @param text two lines of `0m1.234s 0m0.567s`: its own, and its children's
 */
export function secondsOfTimes(text: string): number {
  const words = text.trim().split(/\s+/);
  return words.reduce((sum, word) => {
    const [, minutes = '0', seconds = '0'] = /^(\d+)m([\d.]+)s$/.exec(word) ?? [];
    return sum + Number(minutes) * 60 + Number(seconds);
  }, 0);
}
