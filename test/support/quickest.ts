import { expect } from 'vitest';
import { ciliumship } from './cli.ts';

/** Milliseconds that looking may take, as it was promised. */
const PROMISED = 3_000;

/**
 * How long a command that only looks takes at best, from the start of its process, and how long it
 * may take: where something else keeps the processors busy, starting alone takes longer too.
 */
export async function quickestOf(
  command: string,
  env: NodeJS.ProcessEnv,
  codes: readonly number[] = [0],
): Promise<{ readonly look: number; readonly most: number }> {
  const start = await quickest('explain', env, [0]);
  const look = await quickest(command, env, codes);
  process.stderr.write(
    `${command}: ${Math.round(look)} ms, of which starting ${Math.round(start)}\n`,
  );
  return { look, most: Math.max(PROMISED, 6 * start) };
}

async function quickest(
  command: string,
  env: NodeJS.ProcessEnv,
  codes: readonly number[],
): Promise<number> {
  const taken: number[] = [];
  for (let count = 0; count < 3; count += 1) {
    const started = performance.now();
    const ended = await ciliumship([command], { env });
    expect(codes, ended.stderr).toContain(ended.code);
    taken.push(performance.now() - started);
  }
  return Math.min(...taken);
}
