import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCode, ShipError } from '../../../src/core/errors.ts';
import { errorText } from '../../../src/output/error.ts';
import type { Session } from '../../../src/system/ssh/session.ts';
import { failureOf } from '../../support/docker-build.ts';
import { missingPart, run, until } from '../../support/parts.ts';
import { randomNumbers, seedOf } from '../../support/random.ts';
import { watchProcesses } from '../../support/secrets.ts';
import { makeSshFiles, type SshFiles } from '../../support/ssh-files.ts';
import { SSHD, startSshd, type OwnSshd } from '../../support/sshd.ts';
import { startBadLink } from '../../support/tcp-proxy.ts';

/** Commands over an sshd of our own, and how they end. */
const missing = await missingPart('sshd', () => run(['test', '-x', SSHD]));
const seed = seedOf('D6');

let files: SshFiles;
let sshd: OwnSshd;
let fragile: OwnSshd;
let session: Session;
beforeAll(async () => {
  if (missing !== undefined) return;
  files = makeSshFiles();
  sshd = await startSshd(join(files.folder, 'node'));
  fragile = await startSshd(join(files.folder, 'fragile'));
  files.addHost('node', sshd);
  files.addHost('fragile', fragile);
  session = await files.open('node');
});
afterAll(async () => {
  await session?.[Symbol.asyncDispose]();
  await sshd?.stop();
  await fragile?.stop();
  files?.remove();
});

/** What is said first on a port of this machine; nothing when it is closed at once. */
async function greeting(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const said = await new Promise<string>((resolve) => {
    socket.once('data', (bytes) => resolve(bytes.toString()));
    socket.once('close', () => resolve(''));
    socket.once('error', () => resolve(''));
  });
  socket.destroy();
  return said;
}

const script = (text: string): [string, ...string[]] => ['sh', '-c', text];

describe.skipIf(missing !== undefined)('a command', () => {
  test('gives its output, and its exit code when that is accepted', async () => {
    expect(await session.run(script('echo out; echo err >&2; exit 3'), { accept: [3] })).toEqual({
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('that fails says so with its last ten lines', async () => {
    const error = await failureOf(session.run(script('seq 1 30 >&2; exit 7')));
    expect(error.message).toBe('node: sh -c seq 1 30 >&2; exit 7 ended with exit code 7');
    expect(error.details).toEqual(Array.from({ length: 10 }, (_, index) => String(index + 21)));
    expect(exitCode(error.kind)).toBe(8);
  });

  test('that a signal ended has no exit code and is a failure', async () => {
    const error = await failureOf(session.run(script('kill -KILL $$'), { accept: [0, 137] }));
    expect(error.message).toContain('was ended by SIGKILL');
  });

  test('speaks the language of C, whatever the node is set to', async () => {
    const { stdout } = await session.run(script('echo "$LC_ALL"'));
    expect(stdout).toBe('C\n');
  });

  test('that is quick loses nothing: fifty, four at once', async () => {
    const ended = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        session.run(script(`echo ${index}; exit ${index}`), {
          accept: Array.from({ length: 50 }, (__, code) => code),
        }),
      ),
    );
    expect(ended).toEqual(
      Array.from({ length: 50 }, (_, code) => ({ code, stdout: `${code}\n`, stderr: '' })),
    );
  });

  test('reads its input to the end, in pieces too', async () => {
    const piece = randomBytes(300_000);
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 10; count += 1) yield piece;
    }
    expect((await session.run(['wc', '-c'], { input: pieces() })).stdout.trim()).toBe('3000000');
    expect((await session.run(['cat'], { input: 'a\n' })).stdout).toBe('a\n');
    expect((await session.run(['cat'])).stdout).toBe('');
  });

  test('that ends before its input does is judged by its exit code', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) yield Buffer.alloc(65_536);
    }
    expect((await session.run(['head', '-c', '3'], { input: endless() })).code).toBe(0);
    const error = await failureOf(session.run(script('exit 4'), { input: endless() }));
    expect(error.message).toContain('exit code 4');
  });

  test('whose input fails is no success, although it saw an end', async () => {
    const broken = new ShipError('integrity', 'the store changed');
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw broken;
    }
    expect(await failureOf(session.run(['cat'], { input: failing() }))).toBe(broken);
  });
});

describe.skipIf(missing !== undefined)('a command that does not end', () => {
  test('is given up at its deadline, exit class 5', async () => {
    const started = performance.now();
    const error = await failureOf(session.run(['sleep', '20'], { timeout: 300 }));
    expect(performance.now() - started).toBeLessThan(4_000);
    expect(exitCode(error.kind)).toBe(5);
    expect(error.message).toContain('did not finish in time');
  });

  test('and takes no signal is given up all the same', async () => {
    const stubborn = script("trap '' TERM HUP; sleep 20 & wait; wait");
    const started = performance.now();
    const error = await failureOf(session.run(stubborn, { timeout: 300 }));
    expect(performance.now() - started).toBeLessThan(4_000);
    expect(exitCode(error.kind)).toBe(5);
  });

  test('ends with the reason of an abort', async () => {
    const stop = new AbortController();
    const reason = new ShipError('interrupted', 'interrupted');
    const failed = failureOf(session.run(['sleep', '20'], { signal: stop.signal }));
    stop.abort(reason);
    expect(await failed).toBe(reason);
    expect(await failureOf(session.run(['true'], { signal: stop.signal }))).toBe(reason);
  });

  test('D28: a node that floods standard output is stopped at 4 MiB', async () => {
    const error = await failureOf(session.run(['yes']));
    expect(error.message).toBe('node: the command printed more than 4 MiB');
    expect(exitCode(error.kind)).toBe(8);
  });

  test('D28: of a flood of errors the last ones are kept', async () => {
    const flood = script('yes | head -c 5000000 >&2; echo the last >&2; exit 1');
    const error = await failureOf(session.run(flood));
    expect(error.details.at(-1)).toBe('the last');
  });
});

describe.skipIf(missing !== undefined)('a connection that ends', () => {
  test('F16: a session that is killed is no success and no hang, exit class 5', async () => {
    await using cut = await files.open('fragile');
    const marker = `sleep 30.${Date.now()}`;
    const failed = failureOf(cut.run(script(`exec ${marker}`)));
    await until('the command runs', 20, async () => isRunning(marker));
    fragile.cut();
    const error = await failed;
    expect(exitCode(error.kind)).toBe(5);
    expect(error.retryable).toBe(true);
    expect(error.message).toContain('the connection was lost');
  });

  test('a tunnel goes on over the connection that was restored', async () => {
    await using cut = await files.open('fragile');
    await using tunnel = await cut.tunnel('127.0.0.1', sshd.port);
    expect(await greeting(tunnel.port)).toContain('SSH-2.0');
    fragile.cut();
    await until('the loss is noticed', 20, async () => (await greeting(tunnel.port)) === '');
    await cut.restore(new AbortController().signal);
    expect(await greeting(tunnel.port)).toContain('SSH-2.0');
  });

  test('F59: everything after the end fails at once with the same error', async () => {
    const cut = await files.open('fragile');
    expect(await cut.size('/etc/passwd')).toBeGreaterThan(0);
    await using tunnel = await cut.tunnel('127.0.0.1', sshd.port);
    await cut[Symbol.asyncDispose]();
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
    }
    const errors = [
      failureOf(cut.run(['true'])),
      failureOf(cut.write(join(files.folder, 'late'), bytes())),
      failureOf(cut.size('/etc/passwd')),
      failureOf(cut.rename('/nothing', '/nowhere')),
      failureOf(cut.remove('/nothing')),
    ];
    for (const error of errors) expect((await error).message).toContain('connection was lost');
    const answer = fetch(`http://127.0.0.1:${tunnel.port}/`);
    await expect(answer).rejects.toThrow('fetch failed');
    await cut[Symbol.asyncDispose]();
  });

  test('F15: a link that goes silent ends a command after three keepalives', async () => {
    const link = await startBadLink(sshd.port);
    files.addHost('silent', sshd, { port: link.port });
    const quiet = await files.open('silent', { keepalive: 150 });
    const failed = failureOf(quiet.run(['sleep', '20']));
    link.freeze();
    const error = await failed;
    expect(exitCode(error.kind)).toBe(5);
    expect(error.retryable).toBe(true);
    await quiet[Symbol.asyncDispose]();
    await link.stop();
  });
});

async function isRunning(command: string): Promise<boolean> {
  const found = await run(['pgrep', '-f', '--', `^${command}$`]).catch(() => '');
  return found !== '';
}

describe.skipIf(missing !== undefined)('what is said and told', () => {
  test('D6: random words arrive as they are, through sshd and the login shell', async () => {
    const below = randomNumbers(seed);
    for (let round = 0; round < 20; round += 1) {
      const words = Array.from({ length: 50 }, () =>
        String.fromCodePoint(...Array.from({ length: below(12) }, () => 1 + below(0xd7ff))),
      );
      const { stdout } = await session.run(['printf', '%s\\0', ...words, 'end']);
      expect(stdout.split('\0')).toEqual([...words, 'end', '']);
    }
  });

  test('D7: what goes to a command as input is in no process list', async () => {
    const canary = `canary-${randomBytes(12).toString('hex')}`;
    const stop = watchProcesses(canary);
    const ended = await session.run(script('sleep 0.5; wc -c'), { input: canary });
    const { found, looks } = stop();
    expect(ended.stdout.trim()).toBe(String(canary.length));
    expect(looks).toBeGreaterThan(5);
    expect(found).toEqual([]);
    // The same watch does see an argument.
    const again = watchProcesses(canary);
    await session.run(script('sleep 0.5; true'), { input: '' });
    await session.run(['sh', '-c', 'sleep 0.5; true', canary]);
    expect(again().found).not.toEqual([]);
  });

  test('D9: what a node prints in an error cannot steer the terminal', async () => {
    const evil = String.raw`printf '\033]0;owned\007\033[2J\302\233\342\200\256fdp.exe\r\n' >&2; exit 1`;
    const error = await failureOf(session.run(script(evil)));
    const shown = errorText(error, undefined);
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(shown).toContain(String.raw`\u001b]0;owned\u0007`);
  });
});

describe.skipIf(missing !== undefined)('a tunnel', () => {
  test('leads to a port that the node can reach, and ends although somebody still uses it', async () => {
    const tunnel = await session.tunnel('127.0.0.1', sshd.port);
    const socket = connect(tunnel.port, '127.0.0.1');
    const banner = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
    expect(banner.toString()).toContain('SSH-2.0-');
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    await tunnel[Symbol.asyncDispose]();
    await closed;
  });
});
