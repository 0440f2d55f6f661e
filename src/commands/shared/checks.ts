import type { Check } from '../../core/check.ts';
import { ShipError } from '../../core/errors.ts';
import { textTable } from '../../output/table.ts';

const MARKS = { ok: 'ok', failed: 'FAILED', unknown: 'unknown' };

/** The checks as a table, with their counts below. */
export function checksText(checks: readonly Check[]): string {
  return `${checksTable(checks)}\n\n${counts(checks)}`;
}

/** The checks as a table. */
export function checksTable(checks: readonly Check[]): string {
  const rows = checks.map(({ node, check, state, wanted, found }) => [
    node,
    check,
    MARKS[state],
    wanted,
    found,
  ]);
  return textTable(['node', 'check', 'state', 'wanted', 'found'], rows);
}

/** `13 ok, 1 unknown: …`: what nobody could say is named, and is no failure. */
export function counts(checks: readonly Check[]): string {
  const count = (state: Check['state']): number =>
    checks.filter((check) => check.state === state).length;
  const failed = count('failed') === 0 ? [] : [`${count('failed')} failed`];
  const unknown = count('unknown') === 0 ? [] : [`${count('unknown')} unknown`];
  return [`${count('ok')} ok`, ...failed, ...unknown].join(', ');
}

/**
 * @param again the command that looks once more
 * @throws ShipError of `kind` when a check failed
 */
export function requireValid(
  checks: readonly Check[],
  kind: 'config' | 'drift' | 'deploy',
  again = 'ciliumship validate',
): void {
  const failed = checks.filter(({ state }) => state === 'failed');
  if (failed.length === 0) return;
  const names = failed.map(({ node, check }) => `${check} on ${node}`);
  throw new ShipError(kind, `not as wanted: ${names.join(', ')}`, {
    details: failed.flatMap(({ node, check, found, remedy }) =>
      remedy === undefined ? [] : [`${node}: ${check}: ${found}; ${remedy}`],
    ),
    hint: `mend that, then: ${again}`,
  });
}
