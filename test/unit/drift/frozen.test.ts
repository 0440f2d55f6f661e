import { describe, expect, test } from 'vitest';
import { requireLockedRelease } from '../../../src/drift/frozen.ts';
import type { ShipLock } from '../../../src/drift/lock-file.ts';
import { digestOf } from '../../support/values.ts';

const NOW = { chart: digestOf('chart'), chartVersion: '1.19.6', manifest: digestOf('manifest') };
const LOCK: ShipLock = {
  version: 1,
  images: {},
  nodes: [],
  release: { revision: 2, values: digestOf('values'), ...NOW },
};

describe('a frozen deploy', () => {
  test('rolls out what the lock says', () => {
    expect(() => requireLockedRelease(LOCK, NOW)).not.toThrow();
  });

  test('refuses another chart and another manifest, both at once', () => {
    const other = { ...NOW, chart: digestOf('x'), manifest: digestOf('y') };
    expect(() => requireLockedRelease(LOCK, other)).toThrowError(
      expect.objectContaining({
        kind: 'integrity',
        details: [
          expect.stringMatching(/chart 1\.19\.6/),
          expect.stringMatching(/values and images/),
        ],
      }),
    );
  });

  test('refuses when nothing was rolled out yet', () => {
    const { release: _, ...before } = LOCK;
    expect(() => requireLockedRelease(before, NOW)).toThrowError('nothing of a release');
  });
});
