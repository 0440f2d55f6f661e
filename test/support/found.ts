import { expect } from 'vitest';
import { ciliumship } from './cli.ts';

interface Finding {
  readonly id: string;
  readonly where: string;
  readonly state: string;
  readonly proof: string;
  readonly fix?: { readonly actions: readonly { readonly argv: readonly string[] }[] };
}

/** What doctor found, by id; of several places the one where something is wrong. */
export type Found = ReadonlyMap<string, Finding>;

/** Looks for problems, all of them at once. */
export async function look(
  ids: readonly string[],
  env: NodeJS.ProcessEnv,
  ...more: readonly string[]
): Promise<Found> {
  const ended = await ciliumship(['doctor', ...ids, ...more, '-o', 'json'], { env });
  expect([0, 3], ended.stderr).toContain(ended.code);
  const findings = ended.json() as readonly Finding[];
  const order = ['unknown', 'ok', 'found'];
  const worst = findings.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  return new Map(worst.map((finding) => [finding.id, finding]));
}

/** `E6 found`, for each of them. */
export function statesOf(found: Found): readonly string[] {
  return [...found.values()].map(({ id, state }) => `${id} ${state}`).toSorted();
}

/** The command that doctor names first against it. */
export function commandOf(found: Found, id: string): string {
  return found.get(id)?.fix?.actions[0]?.argv.join(' ') ?? '';
}
