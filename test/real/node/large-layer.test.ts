import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importImage } from '../../../bench/scale/import-image.ts';
import { measureAlone } from '../../../bench/scale/measure-alone.ts';
import { removeFromDocker } from '../../support/extra-image.ts';
import { missingPart, onlyInAll } from '../../support/parts.ts';
import { requireStoreNode } from '../../support/store-node.ts';
import { openStoreShip, type StoreShip } from '../../support/store-push.ts';

const CLI = resolve(import.meta.dirname, '../../../src/cli.ts');
const IMAGE = 'large.local/app:1';
const MEGABYTES = 2_000;
const MOST = 300;

const missing =
  onlyInAll('a layer of 2 GB, some minutes and 15 GB of disk') ??
  (await missingPart('a node', requireStoreNode));

describe.skipIf(missing !== undefined)('a layer of 2 GB', () => {
  let ship: StoreShip;
  beforeAll(async () => {
    ship = await openStoreShip(IMAGE);
    await importImage(IMAGE, MEGABYTES);
  });
  afterAll(async () => {
    await ship.remove();
    await removeFromDocker('large.local');
  });

  it(`is pushed and proved in ${MOST} MB of memory of ours`, async () => {
    ship.configure();
    const { rssMB } = await measureAlone([CLI, 'push', '--no-build'], ship.env);
    expect(rssMB).toBeLessThanOrEqual(MOST);
    expect(await ship.node.run('k3s ctr -n k8s.io images ls -q')).toContain(IMAGE);
  }, 900_000);
});
