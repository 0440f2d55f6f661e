import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveStep } from '../../../src/image/archive-write.ts';
import { openStore } from '../../../src/image/store.ts';
import { honestEntries, readInto, RUN, storeImages } from '../../support/archives.ts';
import { rawTar } from '../../support/hostile/raw-tar.ts';
import { missingPart, run } from '../../support/parts.ts';

const missing = await missingPart('a tmpfs', () =>
  run(['unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']),
);

describe.skipIf(missing !== undefined)('a disk that is full', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-full-'));
  const small = join(folder, 'small');

  beforeAll(async () => {
    mkdirSync(small);
    await run(['mount', '-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', small]);
  });
  afterAll(async () => {
    await run(['umount', small]);
    rmSync(folder, { recursive: true });
  });

  it('F8: ends a save with the name of the folder, and nothing of it stays', async () => {
    const store = await openStore(join(folder, 'store'));
    const saving = saveStep(await storeImages(store), join(small, 'images.tar'), store).run(RUN);
    await expect(saving).rejects.toMatchObject({
      kind: 'build',
      message: `cannot write to ${small}: ENOSPC`,
      retryable: true,
    });
    expect(readdirSync(small)).toEqual([]);
  });

  it('F8: ends the reading of an archive in the same way', async () => {
    const file = join(folder, 'images.tar');
    writeFileSync(file, rawTar(await honestEntries(folder)));
    const store = await openStore(small);
    await expect(readInto(store, file)).rejects.toMatchObject({ kind: 'build', retryable: true });
    expect(readdirSync(join(small, 'scratch'))).toEqual([]);
  });
});
