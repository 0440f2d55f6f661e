import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Remote } from '../../../src/core/remote.ts';
import { runProcess } from '../../../src/system/process.ts';
import { measureRate } from '../../../src/transfer/rate.ts';
import { testFolder } from '../../support/folder.ts';

const { signal } = new AbortController();

/** This machine as a node, with programs of its own first on the PATH. */
function thisMachine(programs: Readonly<Record<string, string>> = {}): Remote {
  const folder = testFolder();
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const env = { PATH: `${folder}:${process.env['PATH']}` };
  return {
    node: 'here',
    run: (argv, { input } = {}) => {
      if (!(input instanceof Uint8Array)) throw new Error('a rate is measured with bytes');
      return runProcess(argv, { env, input });
    },
  };
}

test('a real shell measures how fast bytes come', async () => {
  expect(await measureRate(thisMachine(), signal)).toBeGreaterThan(0);
});

test('bytes that take half a second longer are that much slower', async () => {
  const slow = thisMachine({ cat: 'sleep 0.5; exec /bin/cat' });
  const rate = await measureRate(slow, signal);
  expect(rate).toBeGreaterThan(0);
  expect(rate).toBeLessThanOrEqual((256 * 1024) / 0.5);
});
