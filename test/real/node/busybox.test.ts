import { join } from 'node:path';
import { describe, it } from 'vitest';
import { SUITE, unpackPackage } from '../../../lab/debian.ts';
import { testFolder } from '../../support/folder.ts';
import { onlyInAll } from '../../support/parts.ts';
import { expectRoundTrip, ROUND_TRIPS } from '../../support/round-trip.ts';

const missing = onlyInAll('it gets a package of Debian');

describe.skipIf(missing !== undefined)('the shell of small systems', () => {
  it(`D6: ${ROUND_TRIPS} random words come out of busybox sh as they went in`, async () => {
    const folder = testFolder();
    await unpackPackage('busybox-static', SUITE, folder);
    expectRoundTrip([join(folder, 'bin', 'busybox'), 'sh']);
  }, 600_000);
});
