import { randomInt } from 'node:crypto';

/** The seed of this run, printed so that it can be replayed: `SEED=… npx vitest run FILE`. */
export function seedOf(what: string): number {
  const seed = Number(process.env['SEED'] ?? randomInt(1 << 30));
  process.stderr.write(`${what}: SEED=${seed}\n`);
  return seed;
}

/** Whole numbers below a limit (at most 2^20), the same for the same seed. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // The low bits of such a row repeat soon.
    return (state >>> 12) % below;
  };
}
