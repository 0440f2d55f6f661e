import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import { pack } from 'tar-stream';
import { changedConfig, labEnvironment, nodeNamed, NODES, onNode } from './lab.ts';

/** Makes an image of one layer that does not compress and that nobody has yet. Size in bytes. */
export async function makeExtraImage(name: string, size: number): Promise<void> {
  const archive = pack();
  archive.entry({ name: 'random' }, randomBytes(size));
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
  // By their ids: containerd keeps an image as long as the name lives that the CRI made of its id.
  const ids = `awk 'index($1, "${host}/") == 1 { print $3 }' | sort -u`;
  const script = `k3s crictl images | ${ids} | xargs -r k3s crictl rmi`;
  for (const node of NODES) await onNode(nodeNamed(node.name), 'sh', '-c', script);
  const listed = await execa('docker', ['images', '--format', '{{.Repository}}:{{.Tag}}']);
  const names = listed.stdout.split('\n').filter((name) => name.startsWith(`${host}/`));
  if (names.length > 0) await execa('docker', ['rmi', '-f', ...names], { reject: false });
}
