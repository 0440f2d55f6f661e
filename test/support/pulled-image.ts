import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { copyToNode } from '../../lab/nodes.ts';
import { nodeNamed, onNode } from './lab.ts';

const CTR = ['k3s', 'ctr', '-n', 'k8s.io'];
const digestOf = (text: string): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`;

/**
 * Gives an image that a node has a second manifest, and the name that a pull from a registry leaves
 * behind.
 *
 * @returns that name
 */
export async function asIfPulled(nodeName: string, image: string): Promise<string> {
  const node = nodeNamed(nodeName);
  const listed = await onNode(node, ...CTR, 'images', 'ls', `name==${image}`);
  const [own = ''] = /sha256:[0-9a-f]{64}/.exec(listed) ?? [];
  const manifest = JSON.parse(await onNode(node, ...CTR, 'content', 'get', own)) as object;
  const text = JSON.stringify({ ...manifest, annotations: { from: 'a registry' } });
  const digest = digestOf(text);
  const name = `${image.replace(/:[^:/]*$/, '')}@${digest}`;
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const annotations = { 'io.containerd.image.name': name };
  const manifests = [{ mediaType, digest, size: Buffer.byteLength(text), annotations }];
  const archive = pack();
  archive.entry({ name: 'oci-layout' }, '{"imageLayoutVersion":"1.0.0"}');
  archive.entry({ name: `blobs/sha256/${digest.slice(7)}` }, text);
  archive.entry({ name: 'index.json' }, JSON.stringify({ schemaVersion: 2, manifests }));
  archive.finalize();
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-pulled-'));
  const file = join(folder, 'pulled.tar');
  writeFileSync(file, await buffer(archive));
  await copyToNode(node, file, '/root/pulled.tar');
  rmSync(folder, { recursive: true });
  await onNode(node, ...CTR, 'images', 'import', '/root/pulled.tar');
  await onNode(node, 'rm', '/root/pulled.tar');
  return name;
}

/** Takes that name away again. */
export async function forgetPulled(nodeName: string, name: string): Promise<void> {
  await onNode(nodeNamed(nodeName), ...CTR, 'images', 'rm', name);
}
