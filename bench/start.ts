import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { median } from './statistics.ts';

const TIMES = 9;

/**
 * Median of the milliseconds from the start of ciliumship to the first thing that it prints.
 *
 * @param cli path of the built program
 */
export async function startMs(cli: string): Promise<number> {
  const all: number[] = [];
  for (let time = 0; time < TIMES; time += 1) {
    const started = performance.now();
    const child = spawn(process.execPath, [cli, '--help'], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    all.push(performance.now() - started);
    child.stdout.resume();
    await once(child, 'close');
  }
  return median(all);
}
