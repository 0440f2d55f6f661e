import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, hashOf } from './cache.ts';
import { docker } from './docker.ts';
import { buildProgram } from './programs.ts';
import { NODES, STATE } from './settings.ts';
import { sh } from './shell.ts';

/** Flannel, to switch a cluster to: its real daemon in an image, and a manifest for it. */

const IMAGE = 'ciliumship-lab/flannel:lab';
const MANIFEST = join(import.meta.dirname, 'flannel', 'kube-flannel.yml');
const NAMES = { flannel: 'flanneld', conflist: 'conflist' };

/**
 * Makes the image and writes the manifest for this lab.
 *
 * @returns path of the manifest, for `cni.flannel.manifest`
 * @throws Error with the command to type when gcc is missing
 */
export async function makeFlannel(log: (line: string) => void): Promise<string> {
  if (!existsSync('/usr/bin/gcc')) {
    throw new Error('gcc is missing\n  next: sudo apt-get install -y gcc libc6-dev');
  }
  const programs = await buildProgram('flannel', log);
  const packed = await cached('flannel-image', hashOf([], [programs]), (folder) =>
    packImage(programs, folder),
  );
  await docker('import', join(packed, 'image.tar'), IMAGE);
  const file = join(STATE, 'kube-flannel.yml');
  mkdirSync(STATE, { recursive: true });
  const api = NODES.find(({ role }) => role === 'server')?.dataAddress ?? '';
  writeFileSync(file, readFileSync(MANIFEST, 'utf8').replaceAll('@API@', api));
  return file;
}

async function packImage(programs: string, folder: string): Promise<void> {
  const bin = join(folder, 'root/opt/bin');
  mkdirSync(bin, { recursive: true });
  for (const [built, name] of Object.entries(NAMES)) cpSync(join(programs, built), join(bin, name));
  const owner = ['--owner=0', '--group=0', '--numeric-owner'];
  await sh('tar', ['-C', join(folder, 'root'), ...owner, '-cf', join(folder, 'image.tar'), '.']);
}
