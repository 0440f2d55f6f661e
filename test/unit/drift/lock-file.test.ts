import { describe, expect, test } from 'vitest';
import { lockText, parseLock, type ShipLock } from '../../../src/drift/lock-file.ts';
import { requireLocked } from '../../../src/drift/frozen.ts';
import { digestOf, shipImage } from '../../support/values.ts';

const IMAGE = shipImage('cilium', ['base', 'agent']);
const LOCK: ShipLock = {
  version: 1,
  source: {
    commit: 'a'.repeat(40),
    version: '1.19.0-dev',
    inputs: digestOf('inputs'),
    changed: ['bpf/x.c'],
  },
  images: {
    cilium: {
      name: IMAGE.name,
      digestName: IMAGE.digestName,
      config: IMAGE.config.digest,
      manifest: IMAGE.manifest.digest,
      layers: IMAGE.layers.map(({ digest }) => digest),
    },
  },
  nodes: ['master', 'worker'],
};
const TEXT = lockText(LOCK);

function failure(text: string): { readonly kind: string; readonly details: readonly string[] } {
  try {
    parseLock(text, 'ciliumship.lock');
  } catch (error) {
    return error as { readonly kind: string; readonly details: readonly string[] };
  }
  throw new Error('it was read');
}

describe('a lock', () => {
  test('is read as it was written, and written the same way again', () => {
    expect(parseLock(TEXT, 'ciliumship.lock')).toEqual(LOCK);
    expect(lockText(parseLock(TEXT, 'ciliumship.lock'))).toBe(TEXT);
  });

  test('does not depend on the order in which its values were found', () => {
    const { images, nodes, source, version } = LOCK;
    expect(lockText({ nodes, images, version, ...(source ? { source } : {}) })).toBe(TEXT);
  });

  test('F50: is the same with the mark that some editors put before a text', () => {
    expect(parseLock(`\ufeff${TEXT}`, 'ciliumship.lock')).toEqual(
      parseLock(TEXT, 'ciliumship.lock'),
    );
  });

  test('F51: that was changed by hand is an integrity error', () => {
    expect(failure(TEXT.replace('worker', 'w0rker')).kind).toBe('integrity');
    expect(failure(TEXT.replace(IMAGE.config.digest, IMAGE.manifest.digest)).kind).toBe(
      'integrity',
    );
  });

  const half = TEXT.length / 2;
  test.each([
    ['merge marks', TEXT.replace('nodes:', '<<<<<<< HEAD\nnodes:'), /line \d+: a merge/],
    ['no YAML', `${TEXT}\n  : [`, /line \d+/],
    ['diff3 marks', TEXT.replace('nodes:', '||||||| base\nnodes:'), /line \d+: a merge/],
    ['lists in lists', `nodes: ${'['.repeat(10_000)}`, /line 1: no lock is as deep/],
    ['half of it', TEXT.slice(0, half), /line \d+/],
    ['an unknown key', `${TEXT}more: 1\n`, /line \d+.*more/],
    [
      'a version to come',
      TEXT.replace('version: 1\n', 'version: 2\n'),
      /line 2: version: is none that/,
    ],
    ['a key twice', TEXT.replace('nodes:', 'version: 1\nnodes:'), /line \d+/],
    [
      'a digest that is none',
      TEXT.replace(IMAGE.config.digest, 'sha256:12'),
      /line \d+: images.cilium.config: must be/,
    ],
    ['nothing', '', /./],
    ['a list', '- a\n', /./],
    ['too much', `${TEXT}#${'x'.repeat(1024 * 1024)}`, /bytes/],
    ['aliases', 'a: &x [1]\nb: *x\n', /line 2: it uses aliases/],
    ['__proto__', `${TEXT}__proto__: { a: 1 }\n`, /./],
  ])('F50: with %s is refused, and it is said why', (_title, text, why) => {
    const { kind, details } = failure(text);
    expect(kind).toBe('config');
    expect(details.join('\n')).toMatch(why);
  });
});

describe('a frozen push', () => {
  test('takes the images of the lock', () => {
    expect(() => requireLocked(LOCK, [IMAGE])).not.toThrow();
  });

  test('takes a part of them where only that part is rolled out', () => {
    const lock = { ...LOCK, images: { ...LOCK.images, relay: { ...LOCK.images['cilium']! } } };
    expect(() => requireLocked(lock, [IMAGE], ['cilium'])).not.toThrow();
    expect(() => requireLocked(lock, [IMAGE])).toThrow('not those of');
  });

  test('refuses another one, a new one, and one that is missing, all at once', () => {
    const other = shipImage('cilium', ['base', 'other']);
    const more = shipImage('operator', ['base']);
    const lock = { ...LOCK, images: { ...LOCK.images, relay: { ...LOCK.images['cilium']! } } };
    expect(() => requireLocked(lock, [other, more])).toThrowError(
      expect.objectContaining({
        kind: 'integrity',
        details: [
          expect.stringContaining('quay.io/cilium/cilium:dev'),
          expect.stringContaining('is not in it'),
          expect.stringContaining('relay'),
        ],
      }),
    );
  });
});
