import { execa } from 'execa';
import { expect } from 'vitest';
import { ciliumship } from './cli.ts';
import { labEnvironment } from './lab.ts';
import { until } from './parts.ts';

interface Cell {
  readonly what: string;
  readonly place: string;
  readonly node?: string;
  readonly state: string;
  readonly found: string;
  readonly by?: string;
  readonly since?: string;
  readonly remedy?: string;
}

export interface Drift {
  readonly code: number;
  /** What is not as locked: `drift cilium node worker`. */
  readonly open: readonly string[];
  readonly cells: readonly Cell[];
  readonly remedies: readonly string[];
}

/** What drift finds on the lab. */
export async function drift(...words: readonly string[]): Promise<Drift> {
  const ended = await ciliumship(['drift', '-o', 'json', ...words], { env: labEnvironment() });
  const { cells } = ended.json() as { readonly cells: readonly Cell[] };
  const open = cells.filter(({ state }) => state !== 'ok');
  return {
    code: ended.code,
    cells: open,
    open: open.map(({ state, what, place, node = '' }) =>
      `${state} ${what} ${place} ${node}`.trim(),
    ),
    remedies: [...new Set(open.flatMap(({ remedy }) => remedy ?? []))],
  };
}

/** Types every command that drift printed, and looks until it finds no difference. */
export async function mendAsPrinted({ remedies }: Drift): Promise<void> {
  expect(remedies).not.toEqual([]);
  for (const remedy of remedies) await execa('sh', ['-c', remedy], { env: labEnvironment() });
  await until('drift finds nothing', 60, async () => (await drift()).code === 0);
}
