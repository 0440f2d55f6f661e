import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { changedValues } from '../support/agents.ts';
import { ciliumship } from '../support/cli.ts';
import { testFolder } from '../support/folder.ts';
import { labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();
const AT_GATE = 'Gate: look what master has …';

describe.skipIf(missing !== undefined)('a deploy by the kubeconfig of the server', () => {
  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });

  it.each([
    { how: 'by itself', code: 0 },
    { how: 'with an error', code: 2, more: ['--canary', 'nowhere'] },
    { how: 'by a Ctrl-C', code: 130, signal: 'SIGINT' },
    { how: 'by a SIGTERM', code: 143, signal: 'SIGTERM' },
  ] as const)('F7, D7: that ends $how leaves no file behind', async ({ code, ...how }) => {
    const folder = testFolder();
    const values = changedValues((text) => text.replace('MTU: 1400', 'MTU: 1390'));
    const more = 'more' in how ? how.more : ['--dry-run'];
    const ended = await ciliumship(['deploy', '--values', values, ...more], {
      env: { ...env, KUBECONFIG: '', TMPDIR: folder },
      ...('signal' in how ? { signalAt: { text: AT_GATE, signal: how.signal } } : {}),
    });
    expect(ended.code, ended.stderr).toBe(code);
    expect(readdirSync(folder)).toEqual([]);
  });
});
