import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached, filesBelow, hashOf } from './cache.ts';
import { debootstrap, SUITE } from './debian.ts';
import { docker } from './docker.ts';
import { sh } from './shell.ts';

/** The images that the sample tree is built from, and the stand-ins that are shipped beside it. */

const RUNTIME = 'ciliumship-lab/runtime:lab';
const GOLANG = 'ciliumship-lab/golang:lab';

const PACKAGES = 'iproute2,iputils-ping';
/** What no program of the image reads. */
const UNUSED = ['usr/share/doc', 'usr/share/man', 'usr/share/info', 'usr/share/locale'];
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const STANDIN = join(import.meta.dirname, 'standin');
const STANDINS = ['cilium-envoy', 'hubble-relay', 'hubble-ui', 'hubble-ui-backend'];

/**
 * Makes what Docker does not have yet of all of them.
 *
 * @returns names of the stand-ins
 */
export async function makeTreeImages(log: (line: string) => void): Promise<readonly string[]> {
  await makeBaseImages(log);
  return makeStandins(log);
}

async function makeBaseImages(log: (line: string) => void): Promise<void> {
  const hash = hashOf([], [SUITE, PACKAGES, ...UNUSED]);
  await unlessMade(RUNTIME, hash, log, async (label) => {
    const root = await cached('runtime', hash, packRoot);
    await docker('import', ...changes(label, `ENV PATH=${PATH}`), join(root, 'root.tar'), RUNTIME);
  });
  const goroot = await sh('go', ['env', 'GOROOT']);
  const golang = hashOf([join(goroot, 'VERSION')], [hash]);
  await unlessMade(GOLANG, golang, log, (label) => addGo(goroot, label));
}

async function makeStandins(log: (line: string) => void): Promise<readonly string[]> {
  const hash = hashOf(filesBelow(STANDIN));
  const folder = await cached('standin', hash, packStandin);
  for (const name of STANDINS) {
    await unlessMade(reference(name), hash, log, async (label) => {
      const settings = changes(label, `ENV STANDIN=${name}`, 'ENTRYPOINT ["/standin"]');
      await docker('import', ...settings, join(folder, 'standin.tar'), reference(name));
    });
  }
  return STANDINS.map(reference);
}

function reference(name: string): string {
  return `quay.io/cilium/${name}:lab`;
}

/** Calls `make` with the label that says what the image is made from, unless the image has it. */
async function unlessMade(
  image: string,
  hash: string,
  log: (line: string) => void,
  make: (label: string) => Promise<void>,
): Promise<void> {
  const found = await docker('images', '--quiet', '--filter', `label=lab.hash=${hash}`, image);
  if (found !== '') return;
  log(`making ${image}`);
  await make(`LABEL lab.hash=${hash}`);
}

function changes(...instructions: readonly string[]): string[] {
  return instructions.flatMap((instruction) => ['--change', instruction]);
}

async function packRoot(folder: string): Promise<void> {
  const root = join(folder, 'root');
  await debootstrap(PACKAGES, root);
  for (const path of [...UNUSED, 'var/cache/apt', 'var/lib/apt/lists', 'var/log']) {
    rmSync(join(root, path), { recursive: true, force: true });
  }
  await sh('tar', ['-C', root, '--numeric-owner', '-cf', join(folder, 'root.tar'), '.']);
  rmSync(root, { recursive: true });
}

/** Go as this machine has it, so that the sample is built by what built the rest of the lab. */
async function addGo(goroot: string, label: string): Promise<void> {
  const settings = changes(label, `ENV PATH=/usr/local/go/bin:${PATH}`, 'ENV GOTOOLCHAIN=local');
  const container = await docker('create', RUNTIME, 'true');
  try {
    await docker('cp', goroot, `${container}:/usr/local/go`);
    await docker('commit', ...settings, container, GOLANG);
  } finally {
    await docker('rm', container);
  }
}

async function packStandin(folder: string): Promise<void> {
  const build = ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(folder, 'standin'), '.'];
  await sh('env', ['CGO_ENABLED=0', 'go', '-C', STANDIN, ...build]);
  const owner = ['--owner=0', '--group=0', '--numeric-owner'];
  await sh('tar', ['-C', folder, ...owner, '-cf', join(folder, 'standin.tar'), 'standin']);
}
