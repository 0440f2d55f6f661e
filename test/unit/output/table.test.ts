import { describe, expect, test } from 'vitest';
import { textTable } from '../../../src/output/table.ts';
import { wrap } from '../../../src/output/wrap.ts';

const DIGEST = `sha256:${'a1'.repeat(32)}`;
const HEAD = ['what', 'state', 'found'];
const ROWS = [
  ['cilium', 'ok', ''],
  ['hubble-relay', 'DRIFT', 'the node has the image, and its pin is gone'],
  ['operator', 'unknown', 'nobody answers at 127.0.0.1'],
];
const wordsOf = (rows: readonly (readonly string[])[]) =>
  rows.flat().flatMap((cell) => cell.split(/\s+/));

describe('a table', () => {
  test('is as wide as it must be where nothing is too narrow', () => {
    expect(textTable(HEAD, ROWS, Infinity)).toBe(
      [
        'WHAT          STATE    FOUND',
        'cilium        ok',
        'hubble-relay  DRIFT    the node has the image, and its pin is gone',
        'operator      unknown  nobody answers at 127.0.0.1',
      ].join('\n'),
    );
  });

  test('wraps its widest column first, and keeps the columns', () => {
    expect(textTable(HEAD, ROWS, 50)).toBe(
      [
        'WHAT          STATE    FOUND',
        'cilium        ok',
        'hubble-relay  DRIFT    the node has the image, and',
        '                       its pin is gone',
        'operator      unknown  nobody answers at 127.0.0.1',
      ].join('\n'),
    );
  });

  test('takes two lines for a row where columns side by side would be too narrow to read', () => {
    expect(textTable(HEAD, ROWS, 30)).toBe(
      [
        'WHAT',
        '  STATE    FOUND',
        'cilium',
        '  ok',
        'hubble-relay',
        '  DRIFT    the node has the',
        '           image, and its pin',
        '           is gone',
        'operator',
        '  unknown  nobody answers at',
        '           127.0.0.1',
      ].join('\n'),
    );
  });

  test('becomes blocks where nothing fits beside another', () => {
    expect(textTable(HEAD, ROWS, 15)).toBe(
      [
        'WHAT   cilium\nSTATE  ok',
        'WHAT   hubble-relay\nSTATE  DRIFT\nFOUND  the node\n       has the\n       image,\n       and its\n       pin is\n       gone',
        'WHAT   operator\nSTATE  unknown\nFOUND  nobody\n       answers\n       at\n       127.0.0.1',
      ].join('\n\n'),
    );
  });

  test.each([60, 80])(
    'of status is no wider than a terminal of %i columns, with rows of at most 3 lines',
    (room) => {
      const pod = 'cilium-operator-7d99cbdd6b-abcde';
      const head = ['node', 'image', 'on node', 'running', 'state', 'pods'];
      const row = [
        'worker',
        'operator-generic:vxlan-xdp',
        '55d74f1e4ecd',
        '55d74f1e4ecd',
        'no pod here',
        pod,
      ];
      const lines = textTable(head, [row, row], room).split('\n');
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(room);
      expect(lines.length).toBeLessThanOrEqual(9);
    },
  );

  test('with a column for each of 256 nodes is drawn at once', () => {
    const head = ['image', ...Array.from({ length: 256 }, (_, at) => `node-${at}`)];
    const rows = Array.from({ length: 30 }, (_, at) => [
      `image-${at}`,
      ...head.slice(1).map(() => '✔'),
    ]);
    const begun = process.cpuUsage();
    expect(textTable(head, rows, 80)).toContain('NODE-255');
    const { user } = process.cpuUsage(begun);
    expect(user / 1000).toBeLessThan(2000);
  });

  test('keeps what is short on one line', () => {
    const rows = [['no pod here', 'a text that is rather long, and longer']];
    expect(textTable(['state', 'text'], rows, 40)).toContain('no pod here  a text');
  });

  test('puts what has no head on a line alone', () => {
    expect(textTable(['', 'here'], [['quay.io/cilium/cilium', '✔']], 12)).toBe(
      'quay.io/cilium/cilium\nHERE  ✔',
    );
  });

  test.each([1, 20, 40, 60, 80, 100])('cuts no word, %i columns wide', (room) => {
    const rows = [...ROWS, ['envoy', 'DRIFT', `${DIGEST} is there`]];
    const text = textTable(HEAD, rows, room);
    for (const word of wordsOf(rows)) expect(text).toContain(word);
  });

  test.each([45, 60, 80])('is no wider than a terminal of %i columns', (room) => {
    const lines = textTable(HEAD, ROWS, room).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(room);
  });
});

test('a long text is folded between words, with an indent of its own', () => {
  const text = wrap(Array.from({ length: 30 }, () => 'word').join(' '), '  files: ', '    ');
  expect(text.split('\n').map((line) => line.length)).toEqual([78, 78, 8]);
  expect(text.split('\n')[1]).toMatch(/^ {4}word/);
});
