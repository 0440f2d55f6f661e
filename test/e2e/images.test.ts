import { afterAll, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { environmentWithImage, makeExtraImage, removeExtraImages } from '../support/extra-image.ts';
import { requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const IMAGE = 'keep.local/app:1';

interface Listed {
  readonly node: string;
  readonly image: string;
  readonly usedBy: readonly string[];
}

async function listed(env: NodeJS.ProcessEnv): Promise<readonly Listed[]> {
  const ended = await ciliumship(['images', '-o', 'json'], { env });
  expect(ended.code, ended.stderr).toBe(0);
  return JSON.parse(ended.stdout) as readonly Listed[];
}

afterAll(async () => {
  if (missing === undefined) await removeExtraImages('keep.local');
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

  it('that pods run on stay, whatever is pruned', async () => {
    const env = environmentWithImage(IMAGE);
    const before = (await listed(env)).filter(({ usedBy }) => !usedBy.includes('nothing'));
    const ended = await ciliumship(['images', 'prune'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    const names = (list: readonly Listed[]): readonly string[] =>
      list.map(({ node, image }) => `${node} ${image}`).toSorted();
    expect(names(await listed(env))).toEqual(names(before));
  });
});
