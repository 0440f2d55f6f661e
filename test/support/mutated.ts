import { randomNumbers } from './random.ts';

/** What breaks a parser or a schema when it stands in a place where it does not belong. */
const BITS: readonly string[] = [
  ...'[]{}:,-#&*!|>\'"%@`?~\t\n\r\0\u2028\u{1f600}'.split(''),
  ...['__proto__: {version: 1}', 'constructor: 1', '<<: *a', '&a [*a]', '*a', '!!js/function x'],
  ...['<<<<<<< ours', '=======', '>>>>>>> theirs', '---', '...', '%YAML 9.9', '\uFEFF', 'NaN'],
  ...[
    '1e21',
    '-1',
    '.inf',
    '0x7fffffffffffffff',
    '"false"',
    'yes',
    'null',
    '2001-01-01',
    '!!binary x',
  ],
  ...['a'.repeat(3000), '['.repeat(400), '{a: '.repeat(400), '- '.repeat(200), '\\u0000', '\u202e'],
];

/**
 * A text with some of its pieces cut, doubled, swapped or exchanged; the same for the same numbers.
 *
 * @param random as `randomNumbers` makes it
 */
function mutated(text: string, random: (below: number) => number): string {
  let changed = text;
  for (let times = 1 + random(4); times > 0; times -= 1) {
    const at = random(changed.length + 1);
    const to = Math.min(changed.length, at + random(40));
    const bit = BITS[random(BITS.length)] ?? '';
    const piece = changed.slice(at, to);
    const put = [
      bit,
      '',
      piece + piece,
      piece.toUpperCase(),
      `${piece}${bit}`,
      piece.split('').toReversed().join(''),
    ];
    changed = changed.slice(0, at) + (put[random(put.length)] ?? '') + changed.slice(to);
  }
  return changed;
}

/** Texts like `text`, each broken in its own way, from a seed. */
export function* mutations(text: string, count: number, seed: number): Generator<string> {
  const random = randomNumbers(seed);
  for (let made = 0; made < count; made += 1) yield mutated(text, random);
}
