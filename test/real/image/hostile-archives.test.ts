import { isDeepStrictEqual } from 'node:util';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import { IMAGE_ATTACKS } from '../../support/hostile/images.ts';
import { rawTar } from '../../support/hostile/raw-tar.ts';
import { hostileReader } from '../../support/hostile/reader.ts';
import { flipBytes, TAR_ATTACKS } from '../../support/hostile/tars.ts';
import { randomNumbers, seedOf } from '../../support/random.ts';

const SEED = seedOf('hostile archives');
const COUNT = 1000;
const CHANGES = 300;
/** Of this whole process, vitest among it. */
const MEMORY = 500 * 1024 * 1024;

const { honest, outcome, expectClean } = await hostileReader();
const FORMS = [(tar: Buffer) => tar, gzipSync, zstdCompressSync];

test(`D12, D13: ${COUNT} hostile archives are refused, in little memory`, async () => {
  const random = randomNumbers(SEED);
  const attacks = Object.entries({ ...TAR_ATTACKS, ...IMAGE_ATTACKS });
  for (let at = 0; at < COUNT; at += 1) {
    const [name, attack] = attacks[at % attacks.length] ?? ['nothing', rawTar];
    const packed = FORMS[random(FORMS.length)]?.(attack(honest, random)) ?? Buffer.alloc(0);
    const seen = await outcome(packed);
    expect(seen, `${name}: ${at} of SEED=${SEED}`).toBeInstanceOf(ShipError);
    expect(seen, `${name}: ${at} of SEED=${SEED}`).toMatchObject({ kind: 'integrity' });
  }
  expectClean();
  expect(process.resourceUsage().maxRSS * 1024).toBeLessThan(MEMORY);
});

test('F26: with any bytes changed an archive is refused, or holds the same images', async () => {
  const good = await outcome(rawTar(honest));
  const random = randomNumbers(SEED);
  for (let at = 0; at < CHANGES; at += 1) {
    const form = FORMS[at % FORMS.length] ?? gzipSync;
    const seen = await outcome(flipBytes(form(rawTar(honest)), random));
    const fine =
      seen instanceof ShipError ? seen.kind === 'integrity' : isDeepStrictEqual(seen, good);
    expect(fine, `${at} of SEED=${SEED}: ${String(seen)}`).toBe(true);
  }
  expectClean();
});
