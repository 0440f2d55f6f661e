import { randomUUID } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { succeedsOn } from '../../lab/nodes.ts';
import { containerOf } from '../../lab/settings.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { BASE_IMAGE, importBase, makeTree } from '../support/docker-images.ts';
import { changedConfig, labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart, run } from '../support/parts.ts';
import type { NodeResult } from '../support/ship-result.ts';

const missing = await missingPart('the lab', requireLab);
const WORKER = nodeNamed('worker');
const NAMES = ['archive.test/agent:e2e', 'archive.test/extra:e2e'];

const folder = mkdtempSync(join(tmpdir(), 'ciliumship-archive-'));
const archive = join(folder, 'images.tar.gz');
const key = join(folder, 'key');
const signers = join(folder, 'signers');

interface Pushed {
  readonly images: readonly { readonly name: string; readonly digestName: string }[];
  readonly nodes: readonly NodeResult[];
}

/** A config of two small images: one that is built, and an extra one. */
function smallConfig(): string {
  const images = `images:
  agent: { name: archive.test/agent, dockerfile: Dockerfile }
extraImages: ['archive.test/extra:e2e']
deploy:`;
  return changedConfig((text) =>
    text.replace(/extraImages:[^]*?deploy:/, images).replace(/^tag: .*$/m, 'tag: e2e'),
  );
}

/** What to build an image of that no node can have a layer of. */
function onlyThisTime(): string {
  return makeTree({ Dockerfile: `FROM ${BASE_IMAGE}\nCOPY once /once\n`, once: randomUUID() });
}

/** Names of our images that the worker has. */
async function namesOnWorker(): Promise<readonly string[]> {
  const names = await onNode(WORKER, 'k3s', 'ctr', '-n', 'k8s.io', 'images', 'ls', '-q');
  return names
    .split('\n')
    .filter((name) => name.startsWith('archive.test/'))
    .toSorted();
}

/** By the CRI, which also drops the names that it gave them; then what they were made of goes. */
async function removeFromWorker(): Promise<void> {
  for (const name of await namesOnWorker()) {
    await succeedsOn(WORKER, 'k3s', 'crictl', 'rmi', name);
  }
  expect(await namesOnWorker()).toEqual([]);
}

describe.skipIf(missing !== undefined)('an archive', () => {
  const env = labEnvironment(smallConfig());
  // Another machine: it has no Docker, and nothing in its store.
  const elsewhere = { ...env, DOCKER_HOST: 'unix:///nonexistent', XDG_CACHE_HOME: folder };
  let both: readonly string[];

  const push = (flags: readonly string[], environment: NodeJS.ProcessEnv): Promise<Ended> =>
    ciliumship(['push', '--nodes', 'worker', '-o', 'json', ...flags], { env: environment });

  beforeAll(async () => {
    await removeFromWorker();
    await importBase();
    await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', key]);
    writeFileSync(signers, `someone ${readFileSync(`${key}.pub`, 'utf8')}`);
    for (const name of NAMES) await run(['docker', 'build', '--tag', name, onlyThisTime()]);
  });
  afterAll(async () => {
    await removeFromWorker();
    await run(['docker', 'rmi', '--force', ...NAMES]);
    rmSync(folder, { recursive: true });
  });

  it('is written with both names of every image, signed, and says its size and digest', async () => {
    const words = ['save', archive, '--no-build', '--sign', key, '-o', 'json'];
    const ended = await ciliumship(words, { env });
    expect(ended.code, ended.stderr).toBe(0);
    const saved = ended.json() as Pushed & { readonly archive: { readonly size: number } };
    expect(saved.archive.size).toBe(statSync(archive).size);
    expect(saved.images.map(({ name }) => name)).toEqual(NAMES);
    both = saved.images.flatMap(({ name, digestName }) => [name, digestName]).toSorted();
  });

  it('gives the same names to plain ctr, and a push then only pins them', async () => {
    const importing = 'gunzip -c | k3s ctr -n k8s.io images import -';
    await execa('docker', ['exec', '-i', containerOf(WORKER), 'sh', '-c', importing], {
      inputFile: archive,
    });
    expect(await namesOnWorker()).toEqual(both);
    const ended = await push(['--no-build'], env);
    expect(ended.code, ended.stderr).toBe(0);
    const [worker] = (ended.json() as Pushed).nodes;
    expect(worker).toMatchObject({ state: 'shipped', layers: 0, layerBytes: 0 });
    expect(
      worker?.images.map(({ complete, unpacked, cri }) => ({ complete, unpacked, cri })),
    ).toEqual(NAMES.map(() => ({ complete: true, unpacked: true, cri: true })));
    expect(
      await push(['--no-build'], env).then((again) => (again.json() as Pushed).nodes[0]),
    ).toMatchObject({ state: 'nothing to do', bytes: 0 });
  });

  it('D12: is refused when a byte of it was changed, and the node is as it was', async () => {
    const bytes = readFileSync(archive);
    const middle = Math.floor(bytes.length / 2);
    bytes[middle] = (bytes[middle] ?? 0) ^ 0xff;
    const damaged = join(folder, 'damaged.tar.gz');
    writeFileSync(damaged, bytes);
    const ended = await push(['--archive', damaged], elsewhere);
    expect(ended.code).toBe(7);
    expect(ended.stderr).toContain(damaged);
    expect(await namesOnWorker()).toEqual(both);
  });

  it('is verified and shipped on a machine without Docker', async () => {
    await removeFromWorker();
    const verify = ['--verify', '--allowed-signers', signers];
    const ended = await push(['--archive', archive, ...verify], elsewhere);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('was signed by someone');
    const [worker] = (ended.json() as Pushed).nodes;
    expect(worker?.state).toBe('shipped');
    expect(worker?.layers).toBeGreaterThan(0);
    expect(await namesOnWorker()).toEqual(both);
    const again = await push(['--archive', archive], elsewhere);
    expect((again.json() as Pushed).nodes[0]).toMatchObject({ state: 'nothing to do', bytes: 0 });
  });

  it('is compared with the lock that a push from it wrote, by drift', async () => {
    const drift = (file: string): Promise<Ended> =>
      ciliumship(['drift', '--only', 'local', '--archive', file], { env: elsewhere });
    const same = await drift(archive);
    expect(same.code, same.stdout).toBe(0);
    await run(['docker', 'build', '--tag', NAMES[0] ?? '', onlyThisTime()]);
    const other = join(folder, 'other.tar');
    expect((await ciliumship(['save', other, '--no-build'], { env })).code).toBe(0);
    const differs = await drift(other);
    expect(differs.code).toBe(3);
    expect(differs.stdout).toContain(`ciliumship push --archive ${other}`);
    const mended = await push(['--archive', other], elsewhere);
    expect(mended.code, mended.stderr).toBe(0);
    expect((await drift(other)).code).toBe(0);
  });
});
