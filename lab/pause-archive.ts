import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';

const NAME = 'docker.io/rancher/mirrored-pause:3.6';

/** An image archive (as `docker save` writes it) that holds one static binary and nothing else. */
export async function pauseArchive(binary: string): Promise<Buffer> {
  const layer = await tarOf({ pause: readFileSync(binary) });
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Entrypoint: ['/pause'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    }),
  );
  const configName = `${sha256(config)}.json`;
  const manifest = [{ Config: configName, RepoTags: [NAME], Layers: ['layer.tar'] }];
  return tarOf({
    [configName]: config,
    'layer.tar': layer,
    'manifest.json': Buffer.from(JSON.stringify(manifest)),
  });
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function tarOf(files: Readonly<Record<string, Buffer>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, bytes] of Object.entries(files)) archive.entry({ name, mode: 0o755 }, bytes);
  archive.finalize();
  return buffer(archive);
}
