import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCode } from '../../../src/core/errors.ts';
import { failureOf } from '../../support/docker-build.ts';
import { missingPart, onlyInAll, run } from '../../support/parts.ts';
import { makeSshFiles, type SshFiles } from '../../support/ssh-files.ts';
import { startSshd } from '../../support/sshd.ts';

const SERVER = '/usr/lib/openssh/sftp-server';
const missing =
  onlyInAll('a tracer makes the writes of an SFTP server fail') ??
  (await missingPart('strace', () =>
    run(['strace', '-qq', '-o', '/dev/null', 'test', '-x', SERVER]),
  ));

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield Buffer.alloc(1 << 20);
}

describe.skipIf(missing !== undefined)('a disk that fails', () => {
  let files: SshFiles;
  let folder: string;
  beforeAll(() => {
    files = makeSshFiles();
    folder = join(files.folder, 'inbox');
    mkdirSync(folder);
  });
  afterAll(() => files?.remove());

  test.each(['EIO', 'EDQUOT', 'EROFS'])(
    'F19: with %s in the middle of a file is exit class 8, and says how far it came',
    async (name) => {
      const path = join(folder, name);
      const inject = `-e trace=write -e inject=write:error=${name}:when=12+`;
      const sftp = `strace -f -qq -o /dev/null -P ${path} ${inject} ${SERVER}`;
      const failing = await startSshd(join(files.folder, `node-${name}`), { sftp });
      files.addHost(name, failing);
      const far = await files.open(name);
      try {
        const error = await failureOf(far.write(path, endless()));
        expect(exitCode(error.kind)).toBe(8);
        expect(error.message).toMatch(new RegExp(`^${name}: cannot write .*: refused after \\d`));
        expect(statSync(path).size).toBeGreaterThan(1_000_000);
      } finally {
        await far[Symbol.asyncDispose]();
        await failing.stop();
      }
    },
  );
});
