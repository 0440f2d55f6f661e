import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll } from 'vitest';
import { cached, hashOf } from '../../lab/cache.ts';
import { run } from './parts.ts';

/** Base image of every test build: one static busybox, because no registry can be reached. */
export const BASE_IMAGE = 'ciliumship-test/base:1';

const PROGRAMS = [
  'sh',
  'cat',
  'echo',
  'false',
  'head',
  'ls',
  'mkdir',
  'seq',
  'sleep',
  'true',
  'yes',
];

/** Imports the base image into the Docker of `env`, or the machine's own. */
export async function importBase(
  env: Readonly<Record<string, string>> = {},
  name: string = BASE_IMAGE,
): Promise<void> {
  const root = await busyboxRoot();
  const tar = await execa('tar', ['-C', root, '--sort=name', '-c', '.'], { encoding: 'buffer' });
  await execa('docker', ['import', '-', name], { env, input: tar.stdout });
}

/** Folder with busybox and its names, unpacked from Debian's package. */
export async function busyboxRoot(): Promise<string> {
  return cached('test-busybox', hashOf([], PROGRAMS), async (folder) => {
    const download = mkdtempSync(join(tmpdir(), 'ciliumship-busybox-'));
    await execa('apt-get', ['download', 'busybox-static'], { cwd: download });
    const [file = ''] = readdirSync(download);
    await run(['dpkg', '-x', join(download, file), folder]);
    rmSync(download, { recursive: true });
    for (const program of PROGRAMS) symlinkSync('busybox', join(folder, 'bin', program));
    mkdirSync(join(folder, 'etc'));
  });
}

const trees: string[] = [];
afterAll(() => {
  for (const tree of trees) rmSync(tree, { recursive: true, force: true });
});

/** A new folder with these files: path → text; it is removed after the file of tests. */
export function makeTree(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-tree-'));
  trees.push(folder);
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return folder;
}
