import type { Check } from '../core/check.ts';
import { escapeControls } from '../core/text.ts';
import type { Report } from './report.ts';

/**
 * A report as JUnit XML, which CI servers show as tests: one case for each look, a difference as a
 * failure, and what nobody could look at as an error.
 */
export function junitText({ name, checks }: Report): string {
  const count = (state: Check['state']): number =>
    checks.filter((check) => check.state === state).length;
  const counts = `tests="${checks.length}" failures="${count('failed')}" errors="${count('unknown')}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="ciliumship" ${counts}>`,
    `  <testsuite name="${escaped(name)}" ${counts} skipped="0">`,
    ...checks.map((check) => testCase(name, check)),
    '  </testsuite>',
    '</testsuites>',
  ].join('\n');
}

function testCase(name: string, check: Check): string {
  const head = `    <testcase classname="${escaped(`${name}.${check.node}`)}" name="${escaped(check.check)}"`;
  if (check.state === 'ok') return `${head}/>`;
  const [tag, type] =
    check.state === 'failed' ? (['failure', name] as const) : (['error', 'unknown'] as const);
  const message = `wanted ${check.wanted}, found ${check.found}`;
  const inside = `<${tag} type="${escaped(type)}" message="${escaped(message)}">${escaped(check.remedy ?? '')}</${tag}>`;
  return `${head}>${inside}</testcase>`;
}

/** Text for an element or an attribute, on one line whatever it says. */
function escaped(text: string): string {
  // XML has no place at all for these two and for half a pair of surrogates.
  const legal = escapeControls(text.toWellFormed()).replaceAll(/[\ufffe\uffff]/g, '\ufffd');
  return legal.replaceAll(/[&<>"'\t\n]/g, (character) => `&#${character.charCodeAt(0)};`);
}
