import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCode, ShipError } from '../../../src/core/errors.ts';
import { runProcess } from '../../../src/system/process.ts';
import { openSession } from '../../../src/system/ssh/session.ts';
import { failureOf } from '../../support/docker-build.ts';
import { missingPart, run } from '../../support/parts.ts';
import { startAgent } from '../../support/ssh-agent.ts';
import { makeKey, makeSshFiles, type SshFiles } from '../../support/ssh-files.ts';
import { freePort, SSHD, startSshd, type OwnSshd } from '../../support/sshd.ts';

/** Ways to a node, and what is said when there is none. */
const missing = await missingPart('sshd', () => run(['test', '-x', SSHD]));

let files: SshFiles;
let sshd: OwnSshd;
let jump: OwnSshd;
let second: OwnSshd;
beforeAll(async () => {
  if (missing !== undefined) return;
  files = makeSshFiles();
  [sshd, jump, second] = await Promise.all([
    startSshd(join(files.folder, 'node'), { keyTypes: ['ed25519', 'ecdsa', 'rsa'] }),
    startSshd(join(files.folder, 'jump')),
    startSshd(join(files.folder, 'second')),
  ]);
  files.addHost('node', sshd);
  files.addHost('jump', jump);
  files.addHost('second', second);
});
afterAll(async () => {
  await Promise.all([sshd?.stop(), jump?.stop(), second?.stop()]);
  files?.remove();
});

/** Where the server that answers thinks that it listens. */
async function reached(alias: string): Promise<string> {
  await using session = await files.open(alias);
  const { stdout } = await session.run(['sh', '-c', 'echo "$SSH_CONNECTION"']);
  return stdout.trim().split(' ').at(-1) ?? '';
}

describe.skipIf(missing !== undefined)('host keys of several types', () => {
  test.each(['ed25519', 'ecdsa', 'rsa'])(
    'D3: a host known by its %s key is asked for that one',
    async (type) => {
      const known = join(files.folder, `known_${type}`);
      const line = sshd.hostKeys.find((candidate) => candidate.includes(type));
      writeFileSync(known, `[127.0.0.1]:${sshd.port} ${line}\n`);
      files.addHost(`by-${type}`, sshd, { lines: [`UserKnownHostsFile ${known}`] });
      expect(await reached(`by-${type}`)).toBe(String(sshd.port));
    },
  );
});

describe.skipIf(missing !== undefined)('settings of ssh', () => {
  test('D4: Include, Match and the tokens of a key file are followed', async () => {
    const extra = join(files.folder, 'extra');
    const key = join(files.folder, 'id_elsewhere_included');
    appendFileSync(sshd.authorizedKeys, `${makeKey(key)}\n`);
    writeFileSync(
      extra,
      [
        'Match originalhost included',
        `  HostName 127.0.0.1`,
        `  HostKeyAlias elsewhere`,
        `  Port ${sshd.port}`,
        `  User ${sshd.user}`,
        `  IdentityAgent none`,
        `  IdentityFile ${files.folder}/id_%k_%n`,
        `  UserKnownHostsFile ${files.folder}/known_%n`,
      ].join('\n'),
    );
    writeFileSync(join(files.folder, 'known_included'), `elsewhere ${sshd.hostKeys[0]}\n`);
    const config = join(files.folder, 'including');
    writeFileSync(config, `Include ${extra}\n`);
    await using session = await files.open('included', { sshConfig: config });
    expect(await session.run(['echo', 'here'])).toMatchObject({ stdout: 'here\n' });
  });

  test('D4: a port and a user in the destination win over the config', async () => {
    await using session = await files.open(`${sshd.user}@second:${second.port}`);
    expect(await session.run(['true'])).toMatchObject({ code: 0 });
  });

  test('D4: ProxyJump goes through the jump host, each under its own name', async () => {
    files.addHost('behind', sshd, { lines: ['ProxyJump jump'] });
    const before = jump.log().length;
    expect(await reached('behind')).toBe(String(sshd.port));
    expect(jump.log().slice(before)).toContain('Accepted publickey');
  });

  test('D4: two jumps are taken in order', async () => {
    files.addHost('far', sshd, { lines: ['ProxyJump ssh://jump,second'] });
    const before = [jump.log().length, second.log().length] as const;
    expect(await reached('far')).toBe(String(sshd.port));
    expect(jump.log().slice(before[0])).toContain('Accepted publickey');
    expect(second.log().slice(before[1])).toContain('Accepted publickey');
  });

  test('D4: ProxyCommand gets its tokens', async () => {
    const lines = [`ProxyCommand ssh -F ${files.config} -W %h:%p -- "$(echo jump)" # %% %n`];
    files.addHost('commanded', sshd, { lines });
    expect(await reached('commanded')).toBe(String(sshd.port));
  });

  test.each([
    ['last', 'second,stranger-last'],
    ['first', 'stranger-first,second'],
  ])('D4: an unknown %s jump host is refused whatever its config says', async (place, jumps) => {
    const stranger = await startSshd(join(files.folder, `stranger-${place}`));
    try {
      files.addHost(`stranger-${place}`, stranger, {
        unknown: true,
        lines: ['StrictHostKeyChecking no', 'UserKnownHostsFile /dev/null'],
      });
      files.addHost(`past-${place}`, sshd, { lines: [`ProxyJump ${jumps}`] });
      const error = await failureOf(files.open(`past-${place}`));
      expect(exitCode(error.kind)).toBe(6);
      expect(error.retryable).toBe(false);
      expect(error.details.join('\n')).toContain('Host key verification failed');
      expect(stranger.log()).not.toContain('Accepted');
    } finally {
      await stranger.stop();
    }
  });

  test('F13: a jump host that refuses our key is exit class 6 with its words', async () => {
    const key = join(files.folder, 'not_welcome');
    makeKey(key);
    files.addHost('closed', jump, { key, lines: ['IdentitiesOnly yes'] });
    files.addHost('locked', sshd, { lines: ['ProxyJump closed'] });
    const error = await failureOf(files.open('locked'));
    expect(exitCode(error.kind)).toBe(6);
    expect(error.details.join('\n')).toContain('Permission denied');
  });

  test('F14: a ProxyCommand that fails is said at once, with what it printed', async () => {
    files.addHost('broken', sshd, { lines: ['ProxyCommand sh -c "echo no way >&2; exit 3"'] });
    const error = await failureOf(files.open('broken', { connectTimeout: 60_000 }));
    expect(exitCode(error.kind)).toBe(5);
    expect(error.details).toEqual(['no way']);
  });
});

describe.skipIf(missing !== undefined)('logins', () => {
  test('an agent logs us in without a key file', async () => {
    const agent = await startAgent(join(files.folder, 'agent'), [files.key]);
    try {
      const key = join(files.folder, 'nothing');
      files.addHost('by-agent', sshd, { key, lines: [`IdentityAgent ${agent.socket}`] });
      expect(await reached('by-agent')).toBe(String(sshd.port));
    } finally {
      await agent.stop();
    }
  });

  test('an encrypted key works through the agent that holds it, with IdentitiesOnly too', async () => {
    const key = join(files.folder, 'locked_key');
    appendFileSync(sshd.authorizedKeys, `${makeKey(key)}\n`);
    const agent = await startAgent(join(files.folder, 'agent2'), [key]);
    await run(['ssh-keygen', '-q', '-p', '-N', 'secret words', '-f', key]);
    try {
      const lines = [`IdentityAgent ${agent.socket}`, 'IdentitiesOnly yes'];
      files.addHost('encrypted', sshd, { key, lines });
      expect(await reached('encrypted')).toBe(String(sshd.port));
    } finally {
      await agent.stop();
    }
  });

  test('F13: a dead agent is passed over', async () => {
    files.addHost('dead-agent', sshd, { lines: [`IdentityAgent ${files.folder}/gone`] });
    expect(await reached('dead-agent')).toBe(String(sshd.port));
  });

  test('F13: a wrong key is exit class 6, never tried again, and lists what was tried', async () => {
    const key = join(files.folder, 'wrong_key');
    const locked = join(files.folder, 'wrong_locked');
    makeKey(key);
    makeKey(locked, 'ed25519', 'secret words');
    const lines = [`IdentityAgent ${files.folder}/gone`, `IdentityFile ${locked}`];
    files.addHost('wrong', sshd, { key, lines });
    const error = await failureOf(files.open('wrong'));
    expect(exitCode(error.kind)).toBe(6);
    expect(error.retryable).toBe(false);
    expect(error.message).toContain(`${sshd.user}@127.0.0.1:${sshd.port} refuses us`);
    expect(error.message).toMatch(/agent \(failed to connect/);
    expect(error.message).toContain(`${locked} (encrypted`);
    expect(error.message).toContain(key);
    expect(JSON.stringify([error.message, error.details, error.hint])).not.toMatch(
      /secret|PRIVATE/,
    );
    expect(error.hint).toContain('ssh -o BatchMode=yes');
  });

  test('F13: a user that does not exist is exit class 6', async () => {
    files.addHost('nobody-there', sshd, { lines: ['User ciliumship-nobody'] });
    const error = await failureOf(files.open('nobody-there'));
    expect(exitCode(error.kind)).toBe(6);
    expect(error.message).toContain('ciliumship-nobody@');
  });

  test('F13: more keys than sshd allows is exit class 6 and not a network fault', async () => {
    const keys = Array.from({ length: 8 }, (_, index) => join(files.folder, `many_${index}`));
    for (const key of keys) makeKey(key);
    const agent = await startAgent(join(files.folder, 'agent3'), keys);
    try {
      files.addHost('many', sshd, { lines: [`IdentityAgent ${agent.socket}`] });
      const error = await failureOf(files.open('many'));
      expect(exitCode(error.kind)).toBe(6);
      expect(error.message).toContain('too many authentication failures');
    } finally {
      await agent.stop();
    }
  });
});

describe.skipIf(missing !== undefined)('no way to a node', () => {
  test('F14: a host that does not exist is exit class 5', async () => {
    const error = await failureOf(files.open('nowhere.invalid'));
    expect(exitCode(error.kind)).toBe(5);
    expect(error.message).toMatch(/nowhere\.invalid:22 (has no address|cannot be looked up)/);
  });

  test('F14: a port that nobody listens on is exit class 5, to be tried again', async () => {
    files.addHost('refused', sshd, { port: await freePort() });
    const error = await failureOf(files.open('refused'));
    expect(exitCode(error.kind)).toBe(5);
    expect(error.retryable).toBe(true);
    expect(error.message).toContain('refuses connections');
  });

  test('F14: a server that never answers is given up after the time to connect', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    files.addHost('silent', sshd, { port, lines: ['ConnectTimeout 1'] });
    const started = performance.now();
    const error = await failureOf(files.open('silent'));
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(exitCode(error.kind)).toBe(5);
    expect(error.message).toContain('does not answer');
    silent.close();
  });

  test('F14: a server that hangs up before its first word is exit class 5', async () => {
    const rude = createServer((socket) => socket.on('error', () => undefined).end());
    await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
    const { port } = rude.address() as AddressInfo;
    files.addHost('rude', sshd, { port });
    const error = await failureOf(files.open('rude'));
    expect(exitCode(error.kind)).toBe(5);
    rude.close();
  });

  test('an abort while connecting gives its own reason', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    files.addHost('waiting', sshd, { port: (silent.address() as AddressInfo).port });
    const stop = new AbortController();
    const reason = new ShipError('interrupted', 'interrupted');
    silent.once('connection', (socket) => {
      socket.on('error', () => undefined);
      stop.abort(reason);
    });
    const options = { sshConfig: files.config, hostKeys: 'strict', runLocal: runProcess } as const;
    expect(await failureOf(openSession('waiting', 'waiting', options, stop.signal))).toBe(reason);
    silent.close();
  });
});
