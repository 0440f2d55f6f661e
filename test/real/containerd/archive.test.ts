import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTAINERD_VERSIONS } from '../../../lab/containerd.ts';
import { docker } from '../../../lab/docker.ts';
import type { ShipImage } from '../../../src/core/image.ts';
import { parseCheck } from '../../../src/facts/containerd.ts';
import { qualified } from '../../../src/facts/node-store.ts';
import { saveStep } from '../../../src/image/archive-write.ts';
import { openStore } from '../../../src/image/store.ts';
import { RUN, storeImages } from '../../support/archives.ts';
import { startContainerd, type OwnContainerd } from '../../support/containerd.ts';
import { missingPart } from '../../support/parts.ts';

/** What the page of `save` says, without K3s around it. */
const IMPORT = 'gunzip -c | ctr -n k8s.io images import -';

const missing = await missingPart('Docker', () => docker('info'));

describe.skipIf(missing !== undefined).each(CONTAINERD_VERSIONS)('containerd %s', (version) => {
  let containerd: OwnContainerd;
  let images: readonly ShipImage[];
  let archive: string;

  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ciliumship-archive-'));
    const store = await openStore(join(folder, 'store'));
    images = await storeImages(store);
    archive = join(folder, 'images.tar.gz');
    await saveStep(images, archive, store).run(RUN);
    containerd = await startContainerd(version);
  });
  afterAll(async () => {
    await containerd.stop();
    rmSync(dirname(archive), { recursive: true });
  });

  const names = async (): Promise<readonly string[]> => {
    const listed = await containerd.run('ctr -n k8s.io images ls -q');
    return listed.split('\n').filter((name) => name !== '' && !name.startsWith('sha256:'));
  };

  it('F27: takes no name from an archive that was cut, wherever that was', async () => {
    expect(containerd.version).toContain(` ${version}.`);
    const { size } = statSync(archive);
    for (const part of [0.1, 0.5, 0.9]) {
      const cut = `head -c ${Math.floor(size * part)} | ${IMPORT}`;
      await expect(containerd.run(cut, archive)).rejects.toThrow('ctr');
      expect(await names()).toEqual([]);
    }
  });

  it('imports an archive by the plain command, with both names of each image', async () => {
    await containerd.run(IMPORT, archive);
    const both = images.flatMap(({ name, digestName }) => [name, digestName].map(qualified));
    expect((await names()).toSorted()).toEqual(both.toSorted());
    const checked = parseCheck(await containerd.run('ctr -n k8s.io images check'));
    for (const name of both) {
      expect(checked.get(name)).toMatchObject({ complete: true, unpacked: true });
    }
  });
});
