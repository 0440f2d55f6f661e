import { assert, constantFrom, integer, oneof, property, string, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import { lockText, parseLock, type ShipLock } from '../../../src/drift/lock-file.ts';
import { BROKEN_FROM } from '../../support/broken-from.ts';
import { seedOf } from '../../support/random.ts';

const COUNT = process.env['CILIUMSHIP_TEST_ALL'] === undefined ? 2_000 : 20_000;
/** Milliseconds of this thread that one lock may take. */
const SLOW = 1_000;

const TEXT = BROKEN_FROM.lock;

/** What merges, editors, disks and people make of a file. */
const pieces = oneof(
  constantFrom(
    ...['\n', ' ', '\t', ':', '- ', '? ', '[', '{', ']', '}', '&a ', '*a', '!!js ', '!', '|', '>'],
    ...['"', "'", '#', '%YAML 9\n', '---\n', '...\n', '\ufeff', '\0', '\u0085', '\ud800', ','],
    ...['<<<<<<< HEAD\n', '=======\n', '>>>>>>> x\n', '||||||| y\n', '<<: *a\n', 'version: 1\n'],
    ...['__proto__: {}\n', 'constructor: 1\n', 'nodes: ~\n', '1e999', '0x', '.inf', '\n  \n'],
    ...['[[[[[[[[[[[[', '{a: {a: {a: ', '- - - - - - - - - - ', `${' '.repeat(99)}x\n`],
  ),
  string({ unit: 'binary', maxLength: 40 }),
);
const places = integer({ min: 0, max: TEXT.length });
const broken = oneof(
  tuple(places, places, pieces).map(
    ([from, to, piece]) => TEXT.slice(0, from) + piece + TEXT.slice(to),
  ),
  tuple(places, pieces, integer({ min: 1, max: 400 })).map(
    ([at, piece, times]) => TEXT.slice(0, at) + piece.repeat(times) + TEXT.slice(at),
  ),
  tuple(places, integer({ min: 0, max: 0xffff })).map(
    ([at, code]) => TEXT.slice(0, at) + String.fromCharCode(code) + TEXT.slice(at + 1),
  ),
  string({ unit: 'binary', maxLength: 500 }),
);

describe('a lock file', () => {
  const seed = seedOf('F50');

  test(`F50: ${COUNT} broken ones are refused with line and reason, or say the same`, () => {
    let slowest = 0;
    const check = (text: string): void => {
      const begun = process.threadCpuUsage();
      const found = outcome(text);
      const { user, system } = process.threadCpuUsage(begun);
      slowest = Math.max(slowest, (user + system) / 1000);
      expect(isRight(found), JSON.stringify(found)).toBe(true);
    };
    assert(property(broken, check), { seed, numRuns: COUNT });
    expect(slowest).toBeLessThan(SLOW);
  }, 900_000);
});

/** Refused with line and reason, or read: a comment, or another way to write the same. */
function isRight(found: ShipLock | ShipError): boolean {
  if (!(found instanceof ShipError)) return lockText(found) === TEXT;
  const isKnown = found.kind === 'config' || found.kind === 'integrity';
  return isKnown && /line \d+|bytes/.test(found.details.join('\n'));
}

function outcome(text: string): ShipLock | ShipError {
  try {
    return parseLock(text, 'ciliumship.lock');
  } catch (error) {
    if (error instanceof ShipError) return error;
    throw error;
  }
}
