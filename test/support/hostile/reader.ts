import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { openStore } from '../../../src/image/store.ts';
import { honestEntries, readInto } from '../archives.ts';
import type { Entry } from './entries.ts';
import { digestOf } from '../values.ts';

/** An archive of a few kilobytes that is still being read after this is never going to end. */
const HANGS = 30_000;

/** Someone who reads archives from anywhere into one store. */
export interface HostileReader {
  readonly honest: readonly Entry[];
  /** What reading these bytes as an archive comes to: images, or an error. */
  readonly outcome: (bytes: Uint8Array) => Promise<unknown>;
  /** Looks whether anything but whole blobs was left in the store. */
  readonly expectClean: () => void;
}

/** A reader for the tests of one file. */
export async function hostileReader(): Promise<HostileReader> {
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-hostile-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const honest = await honestEntries(folder);
  const store = await openStore(join(folder, 'store'));
  return {
    honest,
    outcome: async (bytes) => {
      const file = join(folder, 'hostile');
      writeFileSync(file, bytes);
      return readInto(store, file, AbortSignal.timeout(HANGS)).catch((error: unknown) => error);
    },
    expectClean: () => {
      expect(readdirSync(join(store.folder, 'scratch'))).toEqual([]);
      const blobs = join(store.folder, 'blobs', 'sha256');
      for (const hex of readdirSync(blobs)) {
        expect(digestOf(readFileSync(join(blobs, hex)))).toBe(`sha256:${hex}`);
      }
    },
  };
}
