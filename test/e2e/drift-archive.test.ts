import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { drift } from '../support/drift.ts';
import { labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';
import { changeBanner, resetTree } from '../support/tree.ts';

const missing =
  onlyInAll('two builds and three deploys') ?? (await missingPart('the lab', requireLab));
const env = labEnvironment();
/** A machine that reaches the nodes and has no Docker. */
const away = { ...env, DOCKER_HOST: 'unix:///nowhere/docker.sock' };

async function succeed(...words: readonly string[]): Promise<void> {
  const ended = await ciliumship(words, { env });
  expect(ended.code, ended.stderr).toBe(0);
}

/** Types what drift prints until it prints nothing: a push makes room for a deploy. */
async function typeRemedies(...words: readonly string[]): Promise<readonly string[]> {
  const typed: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    const { remedies } = await drift(...words);
    for (const remedy of remedies) await execa('sh', ['-c', remedy], { env });
    typed.push(...remedies);
  }
  expect((await drift(...words)).open).toEqual([]);
  return typed;
}

describe.skipIf(missing !== undefined)('an archive that is not what is locked', () => {
  const archive = join(mkdtempSync(join(tmpdir(), 'ciliumship-e2e-')), 'images.tar');

  beforeAll(async () => {
    await succeed('ship');
    await succeed('save', archive);
    changeBanner('newer than the archive');
    await succeed('ship');
  });
  afterAll(async () => {
    if (missing !== undefined) return;
    await resetTree();
    await ciliumship(['ship'], { env });
  });

  it('is drift, and is shipped and rolled out as printed', async () => {
    const found = await drift('--archive', archive);
    expect(found.code).toBe(3);
    expect(found.open).toContain('drift cilium local');
    expect(await typeRemedies('--archive', archive)).toEqual([
      `ciliumship push --archive ${archive}`,
      'ciliumship deploy --locked',
    ]);
  });

  it('is not mixed up with what Docker has', async () => {
    const refused = await ciliumship(['deploy'], { env });
    expect(refused.code).toBe(7);
    expect(refused.stderr).toContain('Docker has other images than were shipped');
  });

  it.each([['deploy'], ['deploy --frozen'], ['validate'], ['values']])(
    'needs no Docker for %s once it is shipped',
    async (command) => {
      const ended = await ciliumship(command.split(' '), { env: away });
      expect(ended.code, ended.stderr).toBe(0);
    },
  );
});
