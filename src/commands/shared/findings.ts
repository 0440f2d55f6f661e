import { ShipError } from '../../core/errors.ts';
import { quoteArgv } from '../../core/quote.ts';
import { problemOf } from '../../doctor/find.ts';
import type { Finding } from '../../doctor/problem.ts';
import { textTable } from '../../output/table.ts';
import { actionText } from './problem-text.ts';

/** A table of what was looked for, and below it what to do about each problem. */
export function findingsText(findings: readonly Finding[], all: boolean): string {
  const shown = findings.filter(({ state }) => all || state !== 'ok');
  const rows = shown.map(({ id, where, state, proof }) => [
    id,
    where,
    state === 'found' ? 'FOUND' : state,
    proof,
  ]);
  const table = rows.length === 0 ? [] : [textTable(['id', 'where', 'state', 'proof'], rows)];
  const found = findings.filter(({ state }) => state === 'found');
  return [...table, ...found.map(remedy), count(findings)].join('\n\n');
}

function remedy({ id, where, fix }: Finding): string {
  const title = `${id}  ${problemOf(id).title} (${where})`;
  return [
    title,
    ...(fix?.actions.map(actionText) ?? []),
    `  next: ${nextFor(id, where, fix)}`,
  ].join('\n');
}

/** The next command to type against a finding. */
function nextFor(id: string, where: string, fix: Finding['fix']): string {
  const first = fix?.actions[0];
  if (fix?.consent === 'yours' && first !== undefined) return quoteArgv(first.argv);
  const narrowed = where === 'cluster' ? '' : ` --nodes ${where}`;
  const confirmed = fix?.consent === 'confirm' ? ` --confirm ${where}` : '';
  return `ciliumship doctor --fix ${id}${narrowed}${confirmed}`;
}

function count(findings: readonly Finding[]): string {
  const of = (state: Finding['state']): number =>
    findings.filter((finding) => finding.state === state).length;
  return `${of('found')} found, ${of('ok')} ok, ${of('unknown')} unknown`;
}

/** @throws ShipError `drift` when a problem was found */
export function requireNone(findings: readonly Finding[]): void {
  const found = findings.filter(({ state }) => state === 'found');
  const [first] = found;
  if (first === undefined) return;
  const names = found.map(({ id, where }) => `${id} on ${where}`).join(', ');
  throw new ShipError('drift', `found ${names}`, { hint: `ciliumship explain ${first.id}` });
}
