import { createReadStream } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';
import { exportStep } from '../../src/image/export.ts';
import { saveExporter } from '../../src/image/export-save.ts';
import { hashFile } from '../../src/image/hash.ts';
import { openStore } from '../../src/image/store.ts';

/**
 * Exports an image of one layer of zeros through `docker save`, in a process of its own, whose
 * memory is then its own too. Prints the size of the stored layer and the most memory that the
 * process had, both in bytes.
 *
 *     node save-large.ts FOLDER BYTES
 */
const [folder = '', bytes = ''] = process.argv.slice(2);
const file = join(folder, 'sparse');
await writeFile(file, '');
await truncate(file, Number(bytes));
const layer = await hashFile(file);
const name = 'quay.io/cilium/cilium:large';

async function fill(archive: Pack): Promise<void> {
  await pipeline(
    createReadStream(file, { highWaterMark: 1024 * 1024 }),
    archive.entry({ name: 'large/layer.tar', size: layer.size }),
  );
  const rootfs = { type: 'layers', diff_ids: [layer.digest] };
  archive.entry(
    { name: 'config.json' },
    JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs }),
  );
  const image = { Config: 'config.json', RepoTags: [name], Layers: ['large/layer.tar'] };
  archive.entry({ name: 'manifest.json' }, JSON.stringify([image]));
  archive.finalize();
}

const save = async (): Promise<Readable> => {
  const archive = pack();
  fill(archive).catch((error: Error) => archive.destroy(error));
  return Readable.from(archive);
};
const store = await openStore(join(folder, 'store'));
const image = {
  key: 'cilium',
  name,
  id: layer.digest,
  diffIds: [layer.digest],
  platform: 'linux/amd64',
} as const;
await exportStep([image], async () => saveExporter({ save }), store).run({
  signal: new AbortController().signal,
  progress: () => undefined,
});
const memory = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ stored: await store.size(layer.digest), memory }));
