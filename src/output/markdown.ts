import type { Check } from '../core/check.ts';
import { escapeControls } from '../core/text.ts';
import type { Report } from './report.ts';

const MARKS = { ok: '✅ ok', failed: '❌ differs', unknown: '❔ unknown' } as const;
const HEAD = ['what', 'where', 'state', 'wanted', 'found', 'mended by'];

/**
 * A report as Markdown, for a job's summary or a comment: what is not as wanted as a table with the
 * counts above it, everything else folded away below.
 */
export function markdownText({ name, checks }: Report): string {
  const open = checks.filter(({ state }) => state !== 'ok');
  const fine = checks.filter(({ state }) => state === 'ok');
  return [
    `### ciliumship ${escaped(name)}: ${verdict(checks)}`,
    ...(open.length === 0 ? [] : [table(open)]),
    ...(fine.length === 0
      ? []
      : [`<details><summary>${fine.length} as wanted</summary>`, table(fine), '</details>']),
  ].join('\n\n');
}

function verdict(checks: readonly Check[]): string {
  const count = (state: Check['state']): number =>
    checks.filter((check) => check.state === state).length;
  const words = [
    [count('failed'), 'not as wanted'],
    [count('unknown'), 'unknown'],
  ] as const;
  const said = words.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  return said.length === 0 ? `all ${checks.length} as wanted` : said.join(', ');
}

function table(checks: readonly Check[]): string {
  const rows = checks.map(({ check, node, state, wanted, found, remedy }) => [
    ...[escaped(check), escaped(node), MARKS[state], escaped(wanted), escaped(found)],
    remedy === undefined ? '' : code(remedy),
  ]);
  const lines = [HEAD, HEAD.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Text in which nothing is a mark, a tag, a link, an image or a mention. */
function escaped(text: string): string {
  return oneLine(text)
    .replaceAll(/[&<>@]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll(/[\\`*_{}[\]()#+\-!|~:]/g, String.raw`\$&`);
}

/** A command that is copied as it stands; inside of a code tag a table has no bar of its own. */
function code(text: string): string {
  const entities = oneLine(text).replaceAll(
    /[^\w ./=,-]/g,
    (character) => `&#${character.codePointAt(0)};`,
  );
  return `<code>${entities}</code>`;
}

function oneLine(text: string): string {
  return escapeControls(text).replaceAll(/\s+/g, ' ').trim();
}
