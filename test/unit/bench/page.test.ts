import { describe, expect, it } from 'vitest';
import { dockerName } from '../../../bench/docker.ts';
import { performancePage } from '../../../bench/page.ts';
import { merged, type Results } from '../../../bench/results.ts';
import type { Row } from '../../../bench/row.ts';
import { targets } from '../../../bench/targets.ts';

function row(change: Partial<Row>): Row {
  return {
    scenario: 'warm',
    tool: 'ciliumship',
    link: '1gbit',
    docker: '20.10 classic',
    seconds: 10,
    bytes: 10e6,
    rssMB: 200,
    cpuSeconds: 4,
    allCpuSeconds: 9,
    floorSeconds: 5,
    dockerSave: true,
    rounds: 3,
    ...change,
  };
}

function results(...rows: readonly Row[]): Results {
  return { rows, startMs: 250, machine: 'two cores', date: '2026-01-01' };
}

describe('the page about performance', () => {
  it('shows every row with how much more it needed than ciliumship', () => {
    const page = performancePage(
      results(row({}), row({ tool: 'procedure', seconds: 45, bytes: 500e6 })),
    );
    expect(page).toContain('## Docker 20.10 classic, 1gbit');
    expect(page).toContain('| warm | procedure | 45.00 | 4.5× | 500.0 MB | 50.0× |');
    expect(page).toContain('| warm | ciliumship | 10.00 |  | 10.0 MB |  |');
    expect(page).not.toContain('20mbit');
  });

  it('says what stands in the way of a promise only while it is missed', () => {
    const procedure = row({ tool: 'procedure', seconds: 45 });
    expect(performancePage(results(row({}), procedure))).toMatch(/in the way.*\n\n- Warm: /);
    expect(performancePage(results(row({ seconds: 5 }), procedure))).not.toContain('in the way');
  });

  it('says of every promise whose figures are there whether it is reached', () => {
    const found = targets(
      results(
        row({}),
        row({ tool: 'procedure', seconds: 45 }),
        row({ scenario: 'noop', seconds: 2.5, dockerSave: false }),
      ),
    );
    expect(found.map(({ measured, reached }) => [measured, reached])).toEqual([
      ['4.5×', false],
      ['2.50 s, without docker save', false],
      ['250 ms', true],
    ]);
  });

  it('holds a cold ship against what nothing could be faster than', () => {
    const found = targets(results(row({ scenario: 'cold', seconds: 6, floorSeconds: 5 })));
    expect(found[0]).toMatchObject({ measured: '1.20× of 5.0 s', reached: true });
  });

  it('counts a no-op with a docker save as missed, however fast it was', () => {
    const found = targets(results(row({ scenario: 'noop', seconds: 0.5, dockerSave: true })));
    expect(found[0]).toMatchObject({ reached: false });
  });
});

describe('the name of a Docker', () => {
  it('is its version as people say it, and its store', () => {
    expect(dockerName('20.10.24+dfsg1', true)).toBe('20.10 classic');
    expect(dockerName('28.5.2', false)).toBe('28 containerd');
  });
});

describe('results of several runs', () => {
  it('keep the rows of one link and scenario from one run', () => {
    const old = [row({}), row({ tool: 'pipe' }), row({ link: '20mbit', seconds: 99 })];
    const all = merged(old, [row({ seconds: 7 })]);
    expect(all.map(({ link, tool, seconds }) => [link, tool, seconds])).toEqual([
      ['20mbit', 'ciliumship', 99],
      ['1gbit', 'ciliumship', 7],
    ]);
  });
});
