import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Argv, Remote } from '../../../src/core/remote.ts';
import { endImport } from '../../../src/import/end.ts';
import { beginImport, hasBegun, isAtWork, runImport } from '../../support/begun-import.ts';
import { busyboxRoot } from '../../support/docker-images.ts';
import { testFolder } from '../../support/folder.ts';
import { CANARY, expectUntouched, isTouched, QUICK_SH } from '../../support/injection.ts';
import { localNode } from '../../support/local-node.ts';
import { missingPart } from '../../support/parts.ts';
import { expectRoundTrip, ROUND_TRIPS } from '../../support/round-trip.ts';

/** Small systems have a shell of their own; Debian's package of it is unpacked, not installed. */
const missing = await missingPart('busybox of Debian', busyboxRoot);
let shell: Argv;
/** What an import and its end are made of. */
const APPLETS = ['sh', 'cat', 'date', 'grep', 'ln', 'mkdir', 'rm', 'sleep', 'sync', 'tar', 'tr'];
beforeAll(async () => {
  if (missing === undefined) shell = [join(await busyboxRoot(), 'bin', 'busybox'), 'sh'];
});

describe.skipIf(missing !== undefined)('the shell of small systems', () => {
  it(`D6: ${ROUND_TRIPS} random words come out of busybox sh as they went in`, () => {
    expectRoundTrip(shell);
  });

  it('D6: 10,000 random values never run anything in busybox sh', () => {
    expectUntouched([shell]);
  });

  it('D6: would be seen to run in busybox sh where they are not quoted', () => {
    const nested = [`sh -c 'ethtool x;>${CANARY}'`];
    expect(isTouched(testFolder(), nested, QUICK_SH, shell)).toBe(true);
  });

  it('F16: ends an import that is at work, and lets none begin that was given up', async () => {
    const node = localNode();
    for (const name of APPLETS) node.program(name, `exec ${shell[0]} ${name} "$@"`);
    const remote: Remote = { node: 'small', run: async (argv) => node.run(argv) };
    await beginImport(node, 't1');
    await endImport(remote, 't1');
    expect(isAtWork(node, 't1')).toBe(false);
    await endImport(remote, 't2');
    runImport(node, 't2');
    expect(hasBegun(node, 't2')).toBe(false);
    expect(runImport(node, 't3').code).toBe(0);
  });
});
