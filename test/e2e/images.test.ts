import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import { pack } from 'tar-stream';
import { afterAll, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { changedConfig, labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const IMAGE = 'keep.local/app:1';

interface Listed {
  readonly node: string;
  readonly image: string;
  readonly usedBy: readonly string[];
}

/** Another image of the same name, with a layer of its own. */
async function rebuild(): Promise<void> {
  const archive = pack();
  archive.entry({ name: 'app' }, randomBytes(100_000));
  archive.finalize();
  const input = Readable.from(archive);
  await execa('docker', ['import', '--platform', 'linux/amd64', '-', IMAGE], { input });
}

function environment(): NodeJS.ProcessEnv {
  const extra = `extraImages:\n  - ${IMAGE}`;
  return labEnvironment(changedConfig((text) => text.replace('extraImages:', extra)));
}

async function listed(env: NodeJS.ProcessEnv): Promise<readonly Listed[]> {
  const ended = await ciliumship(['images', '-o', 'json'], { env });
  expect(ended.code, ended.stderr).toBe(0);
  return JSON.parse(ended.stdout) as readonly Listed[];
}

afterAll(async () => {
  if (missing !== undefined) return;
  for (const name of ['master', 'worker']) {
    const script =
      'k3s ctr -n k8s.io images ls -q | grep ^keep.local | xargs -r k3s ctr -n k8s.io images rm';
    await onNode(nodeNamed(name), 'sh', '-c', script);
  }
  await execa('docker', ['rmi', '-f', IMAGE], { reject: false });
});

describe.skipIf(missing !== undefined)('shipped images', () => {
  it('that were never deployed go with the next push', async () => {
    const env = environment();
    for (let count = 0; count < 3; count += 1) {
      await rebuild();
      const ended = await ciliumship(['push', '--no-build'], { env });
      expect(ended.code, ended.stderr).toBe(0);
    }
    const own = (await listed(env)).filter(({ image }) => image.startsWith('keep.local/'));
    expect(own.map(({ node, usedBy }) => [node, usedBy])).toEqual([
      ['master', ['last push']],
      ['worker', ['last push']],
    ]);
  });

  it('that pods run on stay, whatever is pruned', async () => {
    const env = environment();
    const before = (await listed(env)).filter(({ usedBy }) => !usedBy.includes('nothing'));
    const ended = await ciliumship(['images', 'prune'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    const names = (list: readonly Listed[]): readonly string[] =>
      list.map(({ node, image }) => `${node} ${image}`).toSorted();
    expect(names(await listed(env))).toEqual(names(before));
  });
});
