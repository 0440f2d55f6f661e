import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { exitCode } from '../../../src/core/errors.ts';
import type { Session } from '../../../src/system/ssh/session.ts';
import { failureOf } from '../../support/docker-build.ts';
import { missingPart } from '../../support/parts.ts';
import { makeSshFiles, type SshFiles } from '../../support/ssh-files.ts';
import { labRootImage, startSudoBox, type SudoBox } from '../../support/sudo-box.ts';

/** sudo of a real Debian, with the rights that nodes are found with. */
const missing = await missingPart('the image of the lab', labRootImage);

let files: SshFiles;
let box: SudoBox;
let session: Session;
beforeAll(async () => {
  if (missing !== undefined) return;
  files = makeSshFiles();
  box = await startSudoBox(join(files.folder, 'box'));
  files.addHost('node', box);
  files.addHost('root', { ...box, user: 'root' });
  session = await files.open('node');
});
afterAll(async () => {
  await session?.[Symbol.asyncDispose]();
  await box?.stop();
  files?.remove();
});

async function allow(...lines: readonly string[]): Promise<void> {
  const text = lines.map((line) => `${line}\n`).join('');
  await box.asRoot(`printf '%s' '${text}' > /etc/sudoers.d/test; chmod 0440 /etc/sudoers.d/test`);
}

describe.skipIf(missing !== undefined)('a login', () => {
  test.each(['/usr/sbin/nologin', '/bin/false'])(
    'F13: whose shell is %s is exit class 6 and not a fault of the node',
    async (shell) => {
      const user = `with-${shell.split('/').at(-1)}`;
      await box.asRoot(`useradd -m -s ${shell} ${user}`);
      files.addHost(user, { ...box, user });
      const error = await failureOf(files.open(user));
      expect(exitCode(error.kind)).toBe(6);
      expect(error.message).toBe(`${user}: ${user} may log in, but not run commands`);
      expect(error.hint).toContain('log in as another user');
    },
  );

  test('whose shell greets everybody is refused with the greeting', async () => {
    await box.asRoot('useradd -m -s /bin/bash greeted; echo "echo welcome" > ~greeted/.bashrc');
    files.addHost('greeted', { ...box, user: 'greeted' });
    const error = await failureOf(files.open('greeted'));
    expect(error.message).toBe('greeted: greeted prints text of its own before every answer');
    expect(error.details).toContain('welcome');
    expect(error.hint).toContain('.bashrc');
    expect(exitCode(error.kind)).toBe(6);
  });
});

const ANYTHING = 'admin ALL=(ALL) NOPASSWD: ALL';

describe.skipIf(missing !== undefined)('sudo', () => {
  beforeEach(() => allow(ANYTHING));

  test('D8: runs a command as root where no password is asked for', async () => {
    const ended = await session.run(['id', '-un'], { sudo: true });
    expect(ended).toEqual({ code: 0, stdout: 'root\n', stderr: '' });
    expect((await session.run(['id', '-un'])).stdout).toBe('admin\n');
  });

  test('D8: passes standard input and exit codes through', async () => {
    expect((await session.run(['cat'], { sudo: true, input: 'bytes' })).stdout).toBe('bytes');
    const argv = ['sh', '-c', 'exit 9'] as const;
    expect((await session.run(argv, { sudo: true, accept: [9] })).code).toBe(9);
    const error = await failureOf(session.run(argv, { sudo: true }));
    expect(exitCode(error.kind)).toBe(8);
  });

  test.each([
    ['a password is asked for', ['admin ALL=(ALL) ALL']],
    ['the user has no rights', []],
    ['a terminal is required', ['Defaults requiretty', ANYTHING]],
    ['another command is allowed', ['admin ALL=(ALL) NOPASSWD: /bin/true']],
  ])('D8: is exit class 6 with a remedy when %s', async (_, lines) => {
    await allow(...lines);
    // Even an accepted exit code of 1 is no answer of a command that never ran.
    const error = await failureOf(session.run(['id', '-un'], { sudo: true, accept: [1] }));
    expect(exitCode(error.kind)).toBe(6);
    expect(error.message).toBe('node: sudo wants a password or refuses');
    expect(error.retryable).toBe(false);
    expect(error.details.length).toBeGreaterThan(0);
    expect(error.hint).toContain('NOPASSWD');
  });

  test('D8: a warning of sudo does not make the failure of a command one of sudo', async () => {
    const hosts = await box.asRoot('cat /etc/hosts');
    await box.asRoot('echo 127.0.0.1 localhost > /etc/hosts');
    try {
      const argv = ['sh', '-c', 'echo broken >&2; exit 1'] as const;
      const error = await failureOf(session.run(argv, { sudo: true }));
      expect(error.details.join('\n')).toMatch(/unable to resolve host[^]*broken/);
      expect(exitCode(error.kind)).toBe(8);
      const silent = await failureOf(session.run(['false'], { sudo: true }));
      expect(exitCode(silent.kind)).toBe(8);
    } finally {
      await box.asRoot(`printf '%s\\n' '${hosts}' > /etc/hosts`);
    }
  });

  test('D8: that is not installed is named, and root needs none', async () => {
    await box.asRoot('mv /usr/bin/sudo /usr/bin/sudo.away');
    try {
      const error = await failureOf(session.run(['id', '-un'], { sudo: true }));
      expect(error.message).toBe('node: sudo is not installed');
      expect(exitCode(error.kind)).toBe(6);
      await using root = await files.open('root');
      expect((await root.run(['id', '-un'], { sudo: true })).stdout).toBe('root\n');
    } finally {
      await box.asRoot('mv /usr/bin/sudo.away /usr/bin/sudo');
    }
  });
});
