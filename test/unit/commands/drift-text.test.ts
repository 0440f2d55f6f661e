import { expect, test } from 'vitest';
import { driftText } from '../../../src/commands/shared/drift-text.ts';
import type { Cell } from '../../../src/drift/cell.ts';

function cell(change: Partial<Cell>): Cell {
  return {
    ...{ what: 'cilium', place: 'local', state: 'ok' },
    ...{ wanted: '8f14e45fceea', found: '8f14e45fceea' },
    ...change,
  };
}

const CELLS: readonly Cell[] = [
  cell({}),
  cell({ place: 'node', node: 'master' }),
  cell({ place: 'node', node: 'worker', state: 'drift', found: '45c48cce2e2d', remedy: 'push it' }),
  cell({ place: 'running', node: 'master' }),
  cell({ place: 'running', node: 'worker', state: 'drift', found: '45c48cce2e2d' }),
  cell({ place: 'release', wanted: 'quay.io/cilium/cilium:dev-8f14e45fceea' }),
  cell({ what: 'operator', wanted: 'c9f0f895fb98' }),
  cell({ what: 'operator', place: 'node', node: 'master', wanted: 'c9f0f895fb98' }),
  cell({ what: 'operator', place: 'node', node: 'worker', state: 'unknown', found: 'unreachable' }),
  cell({ what: 'Service a', place: 'release' }),
  cell({
    what: 'ConfigMap b data.mtu',
    place: 'release',
    state: 'drift',
    wanted: '1400',
    found: '1500',
  }),
];

test('drift shows each image place by place, and of the release what is open', () => {
  const lines = driftText(CELLS)
    .split('\n')
    .map((line) => line.trimEnd());
  expect(lines.slice(0, 4)).toEqual([
    '                      LOCK          HERE  MASTER  WORKER          RUNNING            RELEASE',
    'cilium                8f14e45fceea  ✔     ✔       ✖ 45c48cce2e2d  master ✔ worker ✖  ✔',
    'operator              c9f0f895fb98  ✔     ✔       ?',
    'ConfigMap b data.mtu  1400                                                           ✖ 1500',
  ]);
  expect(lines).toContain('3 differences, 1 unknown, 7 ok');
});

test('drift says one line when everything is as locked', () => {
  expect(driftText([cell({})])).toBe('no drift: 1 of 1 comparisons are as ciliumship.lock says');
});
