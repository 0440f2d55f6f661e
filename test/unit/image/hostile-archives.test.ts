import { describe, expect, test } from 'vitest';
import { BOMBS } from '../../support/hostile/bombs.ts';
import { IMAGE_ATTACKS } from '../../support/hostile/images.ts';
import { rawTar } from '../../support/hostile/raw-tar.ts';
import { hostileReader } from '../../support/hostile/reader.ts';
import { TAR_ATTACKS } from '../../support/hostile/tars.ts';
import { randomNumbers, seedOf } from '../../support/random.ts';

const SEED = seedOf('hostile archives');
const { honest, outcome, expectClean } = await hostileReader();

describe('an archive that anyone could have made', () => {
  test('is read when nothing is wrong with it', async () => {
    expect(await outcome(rawTar(honest))).toHaveLength(3);
  });

  test.each(Object.entries({ ...TAR_ATTACKS, ...IMAGE_ATTACKS }))(
    'D12: is refused with %s',
    async (_, attack) => {
      const bytes = attack(honest, randomNumbers(SEED));
      expect(await outcome(bytes), `SEED=${SEED}`).toMatchObject({ kind: 'integrity' });
      expectClean();
    },
  );

  test.each(Object.entries(BOMBS))(
    'D13: is refused with %s',
    { timeout: 60_000 },
    async (_, bomb) => {
      const bytes = bomb(honest, randomNumbers(SEED));
      expect(bytes.length).toBeLessThan(2_000_000);
      expect(await outcome(bytes)).toMatchObject({ kind: 'integrity' });
      expectClean();
    },
  );
});
