import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import { pack } from 'tar-stream';
import { changedConfig, labEnvironment, nodeNamed, NODES, onNode } from './lab.ts';

/** Makes an image of one layer that does not compress and that nobody has yet. Size in bytes. */
export async function makeExtraImage(name: string, size: number): Promise<void> {
  await makeImageOf(name, randomBytes(size));
}

/** Makes one that nobody has yet, and that costs next to nothing on the wire. */
export async function makeHollowImage(name: string, size: number): Promise<void> {
  await makeImageOf(name, Buffer.concat([randomBytes(16), Buffer.alloc(size)]));
}

async function makeImageOf(name: string, content: Uint8Array): Promise<void> {
  const archive = pack();
  archive.entry({ name: 'content' }, Buffer.from(content));
  archive.finalize();
  const input = Readable.from(archive);
  await execa('docker', ['import', '--platform', 'linux/amd64', '-', name], { input });
}

/**
 * Makes an image of two layers that do not compress; the lower one is the same for all that are made
 * below one host.
 *
 * @returns its id
 */
export async function makeLayeredImage(
  name: string,
  below: number,
  above: number,
): Promise<string> {
  const base = name.replace(/[^/]*$/, 'base:1');
  const there = await execa('docker', ['image', 'inspect', base], { reject: false });
  if (there.exitCode !== 0) await makeExtraImage(base, below);
  const context = mkdtempSync(join(tmpdir(), 'ciliumship-layers-'));
  writeFileSync(join(context, 'above'), randomBytes(above));
  writeFileSync(join(context, 'Dockerfile'), `FROM ${base}\nCOPY above /above\n`);
  const built = await execa('docker', ['build', '--quiet', '--tag', name, context]);
  rmSync(context, { recursive: true });
  return built.stdout.trim();
}

/** Makes an image of one layer of so many small files. */
export async function makeManyFiles(name: string, count: number): Promise<void> {
  const archive = pack();
  for (let at = 0; at < count; at += 1) archive.entry({ name: `file-${at}` }, randomBytes(16));
  archive.finalize();
  const input = Readable.from(archive);
  await execa('docker', ['import', '--platform', 'linux/amd64', '-', name], { input });
}

/** The lab's config with one more image to ship, and with `more` at its end. */
export function configWithImage(name: string, more = ''): string {
  return changedConfig(
    (text) => `${text.replace('extraImages:', `extraImages:\n  - ${name}`)}\n${more}`,
  );
}

/** The environment of that config. */
export function environmentWithImage(name: string): NodeJS.ProcessEnv {
  return labEnvironment(configWithImage(name));
}

/** Removes every image below a host name from Docker and from the nodes. */
export async function removeExtraImages(host: string): Promise<void> {
  // With the names that the CRI made of their ids: containerd keeps an image as long as it has one.
  const names = `index($1, "${host}/") == 1 { own[$3] = 1 } { of[$1] = $3 } END { for (name in of) if (of[name] in own) print name }`;
  const script = `k3s ctr -n k8s.io images ls | awk '${names}' | xargs -r k3s ctr -n k8s.io images rm`;
  for (const node of NODES) await onNode(nodeNamed(node.name), 'sh', '-c', script);
  await removeFromDocker(host);
}

/** Removes every image below a host name from Docker. */
export async function removeFromDocker(host: string): Promise<void> {
  const listed = await execa('docker', ['images', '--format', '{{.Repository}}:{{.Tag}}']);
  const there = listed.stdout.split('\n').filter((name) => name.startsWith(`${host}/`));
  if (there.length > 0) await execa('docker', ['rmi', '-f', ...there], { reject: false });
}
