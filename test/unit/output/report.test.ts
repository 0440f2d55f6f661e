import { readFileSync } from 'node:fs';
import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom';
import { describe, expect, test } from 'vitest';
import { fromJSONSchema } from 'zod';
import type { Check } from '../../../src/core/check.ts';
import { reportText, type Report } from '../../../src/output/report.ts';

const HOSTILE =
  '\u001b[2J\n::set-output name=a::b\r\n##[error]x <img src="http://x"> | `a` @all &\ufffe';
const OK: Check = { node: 'master', check: 'cilium', state: 'ok', wanted: 'a', found: 'a' };
const FAILED: Check = {
  node: 'worker',
  check: 'cilium',
  state: 'failed',
  wanted: '8f14e45fceea',
  found: HOSTILE,
  remedy: 'kubectl patch configmap a -p \'[{"op":"remove","path":"/data/a|b"}]\'',
};
const UNKNOWN: Check = { ...OK, node: 'third', state: 'unknown', found: 'unreachable' };
const REPORT: Report = {
  name: 'drift',
  checks: [OK, FAILED, UNKNOWN],
  file: 'ciliumship.lock',
};

/** What the runner of GitHub and that of Azure take for a command. */
const COMMAND = /^\s*::.*::|##\[/m;

describe('a report as JUnit', () => {
  const text = reportText('junit', REPORT);
  const document = new DOMParser({ onError: onErrorStopParsing }).parseFromString(text, 'text/xml');

  test('counts differences as failures, and what nobody saw as errors', () => {
    const suite = document.getElementsByTagName('testsuite')[0];
    const counts = ['tests', 'failures', 'errors'].map((name) => suite?.getAttribute(name));
    expect(counts).toEqual(['3', '1', '1']);
    expect(document.getElementsByTagName('testcase')).toHaveLength(3);
  });

  test('is XML whatever a node says, and gives the command back as it was', () => {
    const failure = document.getElementsByTagName('failure')[0];
    expect(failure?.textContent).toBe(FAILED.remedy);
    expect(failure?.getAttribute('message')).toContain('<img src="http://x"> | `a` @all &\ufffd');
    expect(text).not.toMatch(COMMAND);
  });
});

describe('a report as Markdown', () => {
  const text = reportText('markdown', REPORT);

  test('begins with what it came to', () => {
    expect(text.split('\n')[0]).toBe('### ciliumship drift: 1 not as wanted, 1 unknown');
    expect(reportText('markdown', { ...REPORT, checks: [OK] })).toContain('all 1 as wanted');
  });

  test('stays one table whose cells hold plain text', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('|'));
    expect(rows).toHaveLength(2 + 2 + 2 + 1);
    for (const row of rows) expect(row.match(/(?<!\\)\|/g)).toHaveLength(7);
    expect(text).not.toMatch(/<img|(?<!\\)`|@all/);
    expect(text).not.toMatch(COMMAND);
  });
});

describe('a report as SARIF', () => {
  const schema = fromJSONSchema(
    JSON.parse(readFileSync('test/data/sarif-2.1.0.schema.json', 'utf8')) as Parameters<
      typeof fromJSONSchema
    >[0],
  );
  const text = reportText('sarif', REPORT);

  test.each([
    ['with findings', REPORT],
    ['without any', { ...REPORT, checks: [OK] }],
  ])('fits the published schema %s', (_title, report) => {
    const log = JSON.parse(reportText('sarif', report)) as object;
    expect(schema.safeParse(log).error).toBeUndefined();
    expect(schema.safeParse({ ...log, runs: [{}] }).success).toBe(false);
  });

  test('gives a difference that lasts the same fingerprint', () => {
    const print = (found: string): unknown =>
      /"ciliumship\/v1": "(.*)"/.exec(
        reportText('sarif', { ...REPORT, checks: [{ ...FAILED, found }] }),
      )?.[1];
    expect(print('a')).toBe(print('b'));
    expect(print('a')).toMatch(/^sha256:/);
    expect(text).not.toMatch(COMMAND);
  });
});
