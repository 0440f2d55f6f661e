import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failureOf } from '../../support/docker-build.ts';
import { missingPart, run } from '../../support/parts.ts';
import { randomNumbers, seedOf } from '../../support/random.ts';
import { makeKey, makeSshFiles, type SshFiles } from '../../support/ssh-files.ts';
import { SSHD, startSshd, type OwnSshd } from '../../support/sshd.ts';

/** Random known_hosts files, judged by us and by ssh: it is the one to agree with. */
const missing = await missingPart('sshd', () => run(['test', '-x', SSHD]));
const seed = seedOf('D2');
const COUNT = process.env['CILIUMSHIP_TEST_ALL'] === '1' ? 2000 : 60;

let files: SshFiles;
let sshd: OwnSshd;
let wrong: string;
beforeAll(async () => {
  if (missing !== undefined) return;
  files = makeSshFiles();
  sshd = await startSshd(join(files.folder, 'node'));
  wrong = makeKey(join(files.folder, 'wrong'));
  // Without a key the login fails, so that only the judgement on the host takes time.
  const nothing = { key: join(files.folder, 'none'), lines: ['PreferredAuthentications none'] };
  files.addHost('named', sshd, { ...nothing, lines: ['HostKeyAlias a.node.example'] });
  files.addHost('numbered', sshd, nothing);
});
afterAll(async () => {
  await sshd?.stop();
  files?.remove();
});

/** One to four lines; a name may be hashed, wild, negated, with or without port. */
function randomLines(below: (limit: number) => number): readonly string[] {
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const names = [
    'a.node.example',
    '*',
    '*.node.example',
    'a.*',
    '?.node.example,127.0.0.*',
    '!a.node.example,*',
    '!127.0.0.1,*.example',
    `[127.0.0.1]:${sshd.port}`,
    `[127.0.0.*]:${sshd.port}`,
    `![127.0.0.1]:${sshd.port},[*]:${sshd.port}`,
    `[127.0.0.1]:${sshd.port + 1}`,
    '127.0.0.1',
    'elsewhere.invalid',
    'A.NODE.EXAMPLE',
  ];
  const [right = ''] = sshd.hostKeys;
  return Array.from({ length: 1 + below(4) }, () => {
    const marker = pick(['', '', '', '', '@revoked * ', '@cert-authority ']);
    const key = pick([right, right, right, right, wrong]);
    if (marker === '@revoked * ') return `${marker}${key}`;
    return pick([
      `${marker}${pick(names)} ${key}`,
      `${marker}${pick(names)} ${key} a comment`,
      '# x',
      '',
      `${pick(names)} ssh-ed25519`,
    ]);
  });
}

async function ours(alias: string): Promise<boolean> {
  const { message } = await failureOf(files.open(alias));
  return message.includes('refuses us');
}

async function theirs(alias: string): Promise<boolean> {
  const options = ['-o', 'BatchMode=yes', '-o', 'StrictHostKeyChecking=yes'];
  const { stderr } = await execa('ssh', ['-F', files.config, ...options, alias, 'true'], {
    reject: false,
  });
  if (/Permission denied/.test(stderr)) return true;
  if (/Host key verification failed/.test(stderr)) return false;
  throw new Error(`ssh said neither yes nor no: ${stderr}`);
}

describe.skipIf(missing !== undefined)('known_hosts', () => {
  test(`D2: ${COUNT} random files are judged as ssh judges them`, async () => {
    const below = randomNumbers(seed);
    let accepted = 0;
    for (let count = 0; count < COUNT; count += 1) {
      const lines = randomLines(below);
      files.know(...lines);
      if (below(3) === 0)
        await execa('ssh-keygen', ['-q', '-H', '-f', files.knownHosts], { reject: false });
      const alias = below(2) === 0 ? 'named' : 'numbered';
      const wanted = await theirs(alias);
      expect({ alias, lines, accepted: await ours(alias) }).toEqual({
        alias,
        lines,
        accepted: wanted,
      });
      if (wanted) accepted += 1;
    }
    // Both answers came up, or nothing was compared.
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(COUNT);
  }, 1_800_000);
});
