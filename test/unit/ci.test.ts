import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

interface Step {
  readonly run?: string;
  readonly uses?: string;
}

const action = parse(readFileSync('action.yml', 'utf8')) as {
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
};
const gitlab = parse(readFileSync('ci/gitlab.yml', 'utf8')) as {
  readonly [job: string]: { readonly script: readonly string[] };
};
const scripts = [
  ...action.runs.steps.flatMap(({ run }) => run ?? []),
  ...Object.values(gitlab).flatMap(({ script }) => script),
];

describe('the jobs for CI', () => {
  test('D25: paste no input into a script, where it would be run', () => {
    expect(scripts).toHaveLength(3);
    for (const script of scripts) expect(script).not.toContain('${{');
  });

  test('D25: use nobody else’s actions', () => {
    expect(action.runs.steps.flatMap(({ uses }) => uses ?? [])).toEqual([]);
  });

  test('D25: stop workflow commands while the output of nodes is shown', () => {
    const drift = scripts.find((script) => script.includes('stop-commands')) ?? '';
    const [stop, run, start] = ['::stop-commands::', 'ciliumship drift', '"::$token::"'].map(
      (text) => drift.indexOf(text),
    );
    expect(stop).toBeGreaterThan(0);
    expect(run).toBeGreaterThan(stop ?? 0);
    expect(start).toBeGreaterThan(run ?? 0);
  });

  test('end with the code of drift', () => {
    const running = scripts.filter((script) => script.includes('ciliumship drift'));
    expect(running).toHaveLength(2);
    for (const script of running) expect(script.trimEnd()).toMatch(/exit "\$code"$/);
  });
});
