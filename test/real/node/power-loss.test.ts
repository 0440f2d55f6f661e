import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeExtraImage, removeFromDocker } from '../../support/extra-image.ts';
import { makeLoopDisk, requireLoop, type LoopDisk } from '../../support/loop-disk.ts';
import { missingPart, run, until } from '../../support/parts.ts';
import { K3S, requireStoreNode, startStoreNode, type StoreNode } from '../../support/store-node.ts';
import { openStoreShip, type StoreShip } from '../../support/store-push.ts';

/** What is left on the disk of a node whose power goes at the worst moment. */
const missing = await missingPart('a loop disk', async () => {
  await requireLoop();
  await requireStoreNode();
});
const IMAGE = 'power.local/app:1';
const CTR = 'k3s ctr -n k8s.io';

/** Stops before the first final name moves, until it may go on. */
const WAITS_TO_NAME = `#!/bin/sh
case "$*" in *"images tag"*) touch /run/naming; until [ -e /run/go ]; do sleep 0.05; done;; esac
exec ${K3S} "$@"`;

/** Stops when an image is imported, which no sync has brought to the disk then. */
const WAITS_IMPORTED = `#!/bin/sh
case "$*" in *"images import"*) ;; *) exec ${K3S} "$@";; esac
${K3S} "$@" || exit
touch /run/imported; until [ -e /run/on ]; do sleep 0.05; done`;

describe.skipIf(missing !== undefined)('a node whose power goes', () => {
  let disk: LoopDisk;
  let ship: StoreShip;
  beforeAll(async () => {
    disk = await makeLoopDisk(600);
    ship = await openStoreShip(IMAGE, { data: disk.folder });
    // So that what follows is not in the disk's own first writes.
    await makeExtraImage(IMAGE, 1_000_000);
    expect((await ship.push()).code).toBe(0);
    await makeExtraImage(IMAGE, 20_000_000);
  });
  afterAll(async () => {
    await ship.remove();
    await disk.remove();
    await removeFromDocker('power.local');
  });

  it('D18: has every unpacked byte on its disk before the first name moves, and after the last', async () => {
    await place(ship.node, WAITS_TO_NAME);
    const pushing = ship.push();
    await reached(ship.node, 'naming');
    const before = await disk.crashCopy();
    await ship.node.run('touch /run/go');
    const ended = await pushing;
    const after = await disk.crashCopy();
    expect(ended.code, ended.stderr).toBe(0);
    const unpacked = await unpackedFiles(disk);
    expect(unpacked).toContain('/content');
    const [staged, named] = [await found(before), await found(after)];
    expect(staged.check).toMatch(/^ciliumship.local\/staging\/.* complete .*true\s*$/m);
    expect(named.check).toMatch(new RegExp(`^${IMAGE} .* complete .*true\\s*$`, 'm'));
    for (const { files } of [staged, named]) expect(files).toBe(unpacked);
  });

  it('D18, F34: before the sync, has nothing that the rerun takes for unpacked', async () => {
    await makeExtraImage(IMAGE, 20_000_000);
    const before = digestsOf(await unpackedFiles(disk));
    await place(ship.node, WAITS_IMPORTED);
    const kill = new AbortController();
    const pushing = ship.push('', { killOn: kill.signal });
    await reached(ship.node, 'imported');
    const copy = await disk.crashCopy();
    kill.abort();
    await pushing;
    const now = [...digestsOf(await unpackedFiles(disk))];
    const [own = 'none', ...others] = now.filter((digest) => !before.has(digest));
    expect(others).toEqual([]);
    expect(digestsOf(await unpackedFiles(copy))).not.toContain(own);
    await ship.node.run('touch /run/on');
    const again = await openStoreShip(IMAGE, { data: copy.folder });
    try {
      const ended = await again.push();
      expect(ended.code, ended.stderr).toBe(0);
      expect(digestsOf(await unpackedFiles(copy))).toContain(own);
      expect(await again.node.leftovers()).toBe('');
    } finally {
      await again.remove();
      await copy.remove();
    }
  });

  it('would not be so without the sync: containerd alone leaves holes where files should be', async () => {
    await makeExtraImage(IMAGE, 20_000_000);
    const archive = join(ship.ssh.folder, 'image.tar');
    await run(['docker', 'save', '-o', archive, IMAGE]);
    await run(['cp', archive, join(disk.folder, 'image.tar')]);
    await ship.node.run(`${CTR} images import /var/lib/rancher/image.tar`);
    const copy = await disk.crashCopy();
    const { files } = await found(copy);
    expect(files).not.toBe(await unpackedFiles(disk));
  });
});

/** Puts a script in front of the launcher of K3s. */
async function place(node: StoreNode, script: string): Promise<void> {
  const file = '/usr/local/bin/k3s';
  await node.run(`rm ${file}; cat > ${file} <<'EOF'\n${script}\nEOF\nchmod +x ${file}`);
}

/** Waits until such a script stops. */
async function reached(node: StoreNode, mark: string): Promise<void> {
  await until(mark, 120, async () => (await node.run('ls /run')).split('\n').includes(mark));
}

function digestsOf(listed: string): ReadonlySet<string> {
  return new Set(listed.split('\n').map((line) => line.slice(0, 64)));
}

/** Digests of all files that containerd unpacked on a disk. */
async function unpackedFiles({ folder }: LoopDisk): Promise<string> {
  const snapshots = 'k3s/agent/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots';
  const script = 'cd "$1" && find . -type f | sort | xargs -r sha256sum';
  return run(['sh', '-c', script, 'digests', join(folder, snapshots)]);
}

/** What a containerd says that is started on the disk, and what it has unpacked there. */
async function found(disk: LoopDisk): Promise<{ readonly check: string; readonly files: string }> {
  const files = await unpackedFiles(disk);
  let node: StoreNode | undefined;
  try {
    node = await startStoreNode(join(disk.folder, 'keys'), { data: disk.folder });
    return { check: await node.run(`${CTR} images check`), files };
  } finally {
    await node?.stop();
    await disk.remove();
  }
}
