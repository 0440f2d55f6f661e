import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { exitCode, ShipError } from '../../../src/core/errors.ts';
import { exportStep } from '../../../src/image/export.ts';
import { openStore } from '../../../src/image/store.ts';
import { selfDescription } from '../../../src/system/self.ts';
import { recordedRun } from '../../support/docker-build.ts';
import { fakeSaves } from '../../support/fake-exports.ts';
import { testFolder } from '../../support/folder.ts';
import { missingPart, run } from '../../support/parts.ts';

const skip = await missingPart('root, who may mount', async () => {
  if (process.getuid?.() !== 0) throw new Error('not root');
});

test.skipIf(skip !== undefined)(
  'F8: a disk that fills up in the middle of an export is exit class 4, and is free again',
  async () => {
    const folder = join(testFolder(), 'small');
    mkdirSync(folder);
    await run(['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
    onTestFinished(async () => {
      await run(['umount', '-l', folder]);
    });
    const store = await openStore(join(folder, 'store'));
    const docker = await fakeSaves();
    const image = await docker.build('cilium', 'x'.repeat(4_000_000));
    const error: unknown = await exportStep([image], async () => docker.exporter, store, {
      self: selfDescription(),
    })
      .run(recordedRun())
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ShipError);
    expect(exitCode((error as ShipError).kind)).toBe(4);
    expect((error as ShipError).message).toContain('ENOSPC');
    expect(readdirSync(join(store.folder, 'scratch'))).toEqual([]);
    expect(readdirSync(join(store.folder, 'blobs', 'sha256'))).toEqual([]);
  },
);
