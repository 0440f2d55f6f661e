import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Argv } from '../../../src/core/remote.ts';
import { busyboxRoot } from '../../support/docker-images.ts';
import { testFolder } from '../../support/folder.ts';
import { CANARY, expectUntouched, isTouched, QUICK_SH } from '../../support/injection.ts';
import { missingPart } from '../../support/parts.ts';
import { expectRoundTrip, ROUND_TRIPS } from '../../support/round-trip.ts';

/** Small systems have a shell of their own; Debian's package of it is unpacked, not installed. */
const missing = await missingPart('busybox of Debian', busyboxRoot);
let shell: Argv;
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
});
