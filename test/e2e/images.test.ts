import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SSH_CONFIG } from '../../lab/ssh.ts';
import { ciliumship } from '../support/cli.ts';
import { environmentWithImage, makeExtraImage, removeExtraImages } from '../support/extra-image.ts';
import { labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';
import { changeBanner, resetTree } from '../support/tree.ts';

const missing = await missingPart('the lab', requireLab);
const IMAGE = 'keep.local/app:1';

interface Listed {
  readonly node: string;
  readonly image: string;
  readonly pinned: boolean;
  readonly usedBy: readonly string[];
}

/** The lab, whose worker is looked for where nobody listens. */
function withoutWorker(): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-off-'));
  const file = join(folder, 'ssh_config');
  const text = readFileSync(SSH_CONFIG, 'utf8');
  writeFileSync(file, text.replace(/(Host worker\n(?:.*\n)*?\s*Port )\d+/, '$11'));
  return { ...labEnvironment(), CILIUMSHIP_SSH_CONFIG: file };
}

async function listed(env: NodeJS.ProcessEnv): Promise<readonly Listed[]> {
  const ended = await ciliumship(['images', '-o', 'json'], { env });
  expect(ended.code, ended.stderr).toBe(0);
  return JSON.parse(ended.stdout) as readonly Listed[];
}

afterAll(async () => {
  if (missing !== undefined) return;
  await resetTree();
  await removeExtraImages('keep.local');
});

describe.skipIf(missing !== undefined)('shipped images', () => {
  it('that were never deployed go with the next push', async () => {
    const env = environmentWithImage(IMAGE);
    for (let count = 0; count < 3; count += 1) {
      await makeExtraImage(IMAGE, 100_000);
      const ended = await ciliumship(['push', '--no-build'], { env });
      expect(ended.code, ended.stderr).toBe(0);
    }
    const own = (await listed(env)).filter(({ image }) => image.startsWith('keep.local/'));
    expect(own.map(({ node, usedBy }) => [node, usedBy])).toEqual([
      ['master', ['last push']],
      ['worker', ['last push']],
    ]);
  });

  it('N3: that pods run on stay, whatever is pruned', async () => {
    const env = environmentWithImage(IMAGE);
    const before = (await listed(env)).filter(({ usedBy }) => !usedBy.includes('nothing'));
    // As doctor names it for a disk that fills, and for all.
    for (const nodes of [['--nodes', 'worker'], []]) {
      const ended = await ciliumship(['images', 'prune', ...nodes], { env });
      expect(ended.code, ended.stderr).toBe(0);
    }
    const names = (list: readonly Listed[]): readonly string[] =>
      list.map(({ node, image }) => `${node} ${image}`).toSorted();
    expect(names(await listed(env))).toEqual(names(before));
  });

  it('D17: that a rollback needs stay pinned on every node, and a middle push goes', async () => {
    const env = environmentWithImage(IMAGE);
    const agents = async (use: string): Promise<readonly string[]> =>
      (await listed(env))
        .filter(({ image, usedBy }) => image.includes('/cilium:') && usedBy.includes(use))
        .map(({ node, image, pinned }) => `${node} ${image} ${pinned}`);
    const run = async (command: string): Promise<void> => {
      const ended = await ciliumship([command], { env });
      expect(ended.code, ended.stderr).toBe(0);
    };
    changeBanner('before');
    await run('ship');
    const before = await agents('release');
    changeBanner('never deployed');
    await run('push');
    const middle = await agents('last push');
    changeBanner('after');
    await run('ship');
    expect(await agents('way back')).toEqual(before);
    const all = (await listed(env)).map(({ node, image }) => `${node} ${image} true`);
    expect(all.filter((image) => middle.includes(image))).toEqual([]);
  });

  it('of a node that is off are unknown, and that is exit 5', async () => {
    const ended = await ciliumship(['images', '-o', 'json'], { env: withoutWorker() });
    expect(ended.code).toBe(5);
    const rows = ended.json() as readonly Listed[];
    expect(rows.filter(({ node }) => node === 'worker')).toEqual([
      { node: 'worker', usedBy: ['unknown'], unknown: expect.stringContaining('worker') },
    ]);
    expect(rows.some(({ node }) => node === 'master')).toBe(true);
  });
});
