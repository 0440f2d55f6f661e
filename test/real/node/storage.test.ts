import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { CONTAINERD_VERSIONS, DEFAULT_CONTAINERD } from '../../../lab/containerd.ts';
import type { Ended } from '../../support/cli.ts';
import {
  makeExtraImage,
  makeHollowImage,
  makeManyFiles,
  removeFromDocker,
} from '../../support/extra-image.ts';
import { makeLoopDisk, requireLoop, type LoopDisk } from '../../support/loop-disk.ts';
import { missingPart, run, until } from '../../support/parts.ts';
import { requireStoreNode } from '../../support/store-node.ts';
import { openStoreShip, type StoreShip } from '../../support/store-push.ts';

/**
 * Disks of a node that are full, read-only or frozen, and images that left it; with every containerd
 * when `CILIUMSHIP_TEST_ALL=1`.
 */
const missing = await missingPart('a loop disk', async () => {
  await requireLoop();
  await requireStoreNode();
});
const ALL = process.env['CILIUMSHIP_TEST_ALL'] === '1';
const VERSIONS = ALL ? CONTAINERD_VERSIONS : [DEFAULT_CONTAINERD];
const IMAGE = 'storage.local/app:1';
/** So slow that a test can do something meanwhile. */
const SLOW = 'import: { maxRate: 20MB }';

describe.skipIf(missing !== undefined).each(VERSIONS)('containerd %s', (version) => {
  let disk: LoopDisk;
  let ship: StoreShip;
  beforeAll(async () => {
    // Files for containerd and some small images only.
    disk = await makeLoopDisk(1600, ['-N', '1200']);
    ship = await openStoreShip(IMAGE, { version, data: disk.folder });
  });
  afterAll(async () => {
    await ship.remove();
    await disk.remove();
    await removeFromDocker('storage.local');
  });
  beforeEach(async () => {
    await makeExtraImage(IMAGE, 1_000_000);
    await pushed();
  });

  const ctr = (args: string): Promise<string> => ship.node.run(`k3s ctr -n k8s.io ${args}`);
  const pushed = async (): Promise<void> => {
    const ended = await ship.push();
    expect(ended.code, ended.stderr).toBe(0);
    expect(await ship.node.leftovers()).toBe('');
  };
  const image = (): Promise<string> => ctr(`images check name==${IMAGE}`);
  const importing = async (pushing: Promise<Ended>): Promise<void> => {
    const seen = until('an import under way', 120, async () =>
      (await ctr('content active')).includes('tar-'),
    );
    const ended = pushing.then(({ code, stderr }) =>
      Promise.reject(new Error(`${code}: ${stderr}`)),
    );
    await Promise.race([seen, ended]);
  };

  it('F28: a content store that gets full during an import keeps the old image, and room for a small one', async () => {
    const old = await image();
    await makeHollowImage(IMAGE, 300_000_000);
    const pushing = ship.push('import: { maxRate: 50MB }');
    await importing(pushing);
    await disk.fill(8_000_000);
    onTestFinished(() => disk.empty());
    const full = await pushing;
    expect(full.code, full.stderr).toBe(8);
    expect(full.stderr).toMatch(/store: .*no space left on device: .*\n(.*\n)*.*next: /);
    expect(await image()).toBe(old);
    await makeExtraImage(IMAGE, 1_000_000);
    await pushed();
  });

  it('F28: a disk without room for more files keeps the old image, and room for a small one', async () => {
    const old = await image();
    await makeManyFiles(IMAGE, 2_000);
    const full = await ship.push();
    expect(full.code, full.stderr).toBe(8);
    expect(full.stderr).toMatch(/store: .*no space left on device: .*\n(.*\n)*.*next: /);
    expect(await image()).toBe(old);
    await makeExtraImage(IMAGE, 1_000_000);
    await pushed();
  });

  it('F32: a disk that is frozen during an import is waited for', async () => {
    await makeHollowImage(IMAGE, 60_000_000);
    const pushing = ship.push(SLOW);
    await importing(pushing);
    await disk.freeze();
    const early = await Promise.race([pushing, sleep(8_000)]);
    await disk.thaw();
    expect(early).toBeUndefined();
    const ended = await pushing;
    expect(ended.code, ended.stderr).toBe(0);
    expect(await image()).toMatch(/complete.*true/);
    expect(await ship.node.leftovers()).toBe('');
  });

  it('a disk without room for the layers is named before a byte is sent', async () => {
    const old = await image();
    await makeExtraImage(IMAGE, 60_000_000);
    await disk.fill(100_000_000);
    onTestFinished(() => disk.empty());
    const refused = await ship.push();
    expect(refused.code, refused.stderr).toBe(8);
    expect(refused.stderr).toMatch(/store: 0\.1\d? GB free .*, 0\.\d+ GB needed for .*\n.*next: /);
    expect(refused.stderr).not.toContain('Send:');
    expect(await image()).toBe(old);
    expect(await ship.node.leftovers()).toBe('');
  });

  it('an image that Docker lost is named, and the node keeps what it has', async () => {
    const old = await image();
    await run(['docker', 'rmi', IMAGE]);
    const refused = await ship.push();
    expect(refused.code, refused.stderr).toBe(4);
    expect(refused.stderr).toContain(`Docker has no image ${IMAGE}\n  next: `);
    expect(await image()).toBe(old);
  });

  it('F34: an image that lost its unpacked layers is imported anew', async () => {
    const layer = await inDocker('{{index .RootFS.Layers 0}}');
    await ctr(`snapshots rm ${layer}`);
    expect(await image()).toMatch(/false\s*$/);
    await pushed();
    expect(await image()).toMatch(/complete.*true\s*$/);
  });

  it('F35: an image that was collected after its proof is brought again', async () => {
    await ship.node.run(`k3s crictl rmi ${await inDocker('{{.Id}}')}`);
    expect(await ctr('images ls -q')).not.toMatch(new RegExp(`^${IMAGE}$`, 'm'));
    await pushed();
    expect(await image()).toMatch(/complete.*true\s*$/);
  });

  it('F32: a disk that turned read-only is named, and there is no lock when it is mended', async () => {
    await makeExtraImage(IMAGE, 2_000_000);
    await disk.damage();
    const refused = await ship.push();
    expect(refused.code, refused.stderr).toBe(8);
    expect(refused.stderr).toMatch(/store: read-only file system: .*\n(.*\n)*.*next: /);
    await ship.remove();
    await disk.repair();
    ship = await openStoreShip(IMAGE, { version, data: disk.folder });
    // The lock of an earlier push may be back: the kernel had not written its removal yet.
    await pushed();
  });
});

async function inDocker(format: string): Promise<string> {
  return run(['docker', 'image', 'inspect', '-f', format, IMAGE]);
}
