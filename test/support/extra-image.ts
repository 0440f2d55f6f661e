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
  // With the names that the CRI made of their ids: containerd keeps an image as long as it has one.
  const names = `index($1, "${host}/") == 1 { own[$3] = 1 } { of[$1] = $3 } END { for (name in of) if (of[name] in own) print name }`;
  const script = `k3s ctr -n k8s.io images ls | awk '${names}' | xargs -r k3s ctr -n k8s.io images rm`;
  for (const node of NODES) await onNode(nodeNamed(node.name), 'sh', '-c', script);
  const listed = await execa('docker', ['images', '--format', '{{.Repository}}:{{.Tag}}']);
  const there = listed.stdout.split('\n').filter((name) => name.startsWith(`${host}/`));
  if (there.length > 0) await execa('docker', ['rmi', '-f', ...there], { reject: false });
}
