import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCode, ShipError } from '../../../src/core/errors.ts';
import type { Session } from '../../../src/system/ssh/session.ts';
import { failureOf } from '../../support/docker-build.ts';
import { missingPart, run } from '../../support/parts.ts';
import { makeSshFiles, type SshFiles } from '../../support/ssh-files.ts';
import { SSHD, startSshd, type OwnSshd } from '../../support/sshd.ts';
import { startBadLink } from '../../support/tcp-proxy.ts';

/** Files over an sshd of our own: what arrives, and what is said when it does not. */
const missing = await missingPart('sshd', () => run(['test', '-x', SSHD]));

let files: SshFiles;
let sshd: OwnSshd;
let session: Session;
let folder: string;
beforeAll(async () => {
  if (missing !== undefined) return;
  files = makeSshFiles();
  sshd = await startSshd(join(files.folder, 'node'));
  files.addHost('node', sshd);
  folder = join(files.folder, 'inbox');
  mkdirSync(folder);
  session = await files.open('node');
});
afterAll(async () => {
  await session?.[Symbol.asyncDispose]();
  await sshd?.stop();
  files?.remove();
});

async function* pieces(...list: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* list;
}

/** Zeros, until somebody does not want any more. */
async function* endless(onClosed?: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (;;) yield Buffer.alloc(1 << 20);
  } finally {
    onClosed?.();
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.skipIf(missing !== undefined)('a file', () => {
  test('arrives byte for byte, private, and every byte was acknowledged in order', async () => {
    const sizes = [0, 1, 255 * 1024, 255 * 1024 + 1, 5_000_000, 17];
    const parts = sizes.map((size) => randomBytes(size));
    const told: number[] = [];
    const path = join(folder, 'whole');
    const size = await session.write(path, pieces(...parts), {
      onAcknowledged: (bytes) => void told.push(bytes),
    });
    expect(size).toBe(Buffer.concat(parts).length);
    expect(sha256(readFileSync(path))).toBe(sha256(Buffer.concat(parts)));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBe(size);
    expect(await session.size(path)).toBe(size);
  });

  test('is resumed at its offset', async () => {
    const path = join(folder, 'resumed');
    await session.write(path, pieces(Buffer.from('first ')));
    const size = await session.write(path, pieces(Buffer.from('second')), { start: 6 });
    expect(size).toBe(12);
    expect(readFileSync(path, 'utf8')).toBe('first second');
  });

  test('is renamed over another, removed, and missing afterwards', async () => {
    const [from, to] = [join(folder, 'from'), join(folder, 'to')];
    writeFileSync(to, 'old');
    await session.write(from, pieces(Buffer.from('new')));
    await session.rename(from, to);
    expect(readFileSync(to, 'utf8')).toBe('new');
    expect(await session.size(from)).toBeUndefined();
    await session.remove(to);
    expect(await session.size(to)).toBeUndefined();
    const error = await failureOf(session.remove(to));
    expect(error.message).toContain('no such file or folder');
  });

  test('is written while another one is', async () => {
    const content = ['a', 'b', 'c', 'd'].map((letter) => Buffer.alloc(3_000_000, letter));
    await Promise.all(content.map((bytes, at) => session.write(`${folder}/p${at}`, pieces(bytes))));
    for (const [at, bytes] of content.entries()) {
      expect(sha256(readFileSync(`${folder}/p${at}`))).toBe(sha256(bytes));
    }
  });

  test('whose source fails is a failure with the words of the source', async () => {
    const broken = new ShipError('integrity', 'the store changed');
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('half');
      throw broken;
    }
    expect(await failureOf(session.write(join(folder, 'broken'), failing()))).toBe(broken);
  });

  test('ends with the reason of an abort, and its source is closed', async () => {
    const stop = new AbortController();
    const reason = new ShipError('interrupted', 'interrupted');
    const closed = Promise.withResolvers<void>();
    const write = session.write(join(folder, 'aborted'), endless(closed.resolve), {
      signal: stop.signal,
      onAcknowledged: () => stop.abort(reason),
    });
    expect(await failureOf(write)).toBe(reason);
    await closed.promise;
    // The channel is as good as before.
    expect(await session.size(folder)).toBeGreaterThan(0);
  });
});

describe.skipIf(missing !== undefined)('a path that somebody prepared', () => {
  const target = (): string => join(files.folder, 'target');
  const traps: Readonly<Record<string, (path: string) => void>> = {
    'a symbolic link': (path) => symlinkSync(target(), path),
    'a dangling link': (path) => symlinkSync(join(files.folder, 'not-there'), path),
    'a hard link': (path) => linkSync(target(), path),
    'a pipe': (path) => void execFileSync('mkfifo', [path]),
    'a folder': (path) => mkdirSync(path),
    'a file': (path) => writeFileSync(path, 'theirs'),
  };

  test.each(Object.keys(traps))(
    'D10: %s is refused and what it leads to is not touched',
    async (name) => {
      writeFileSync(target(), 'precious');
      const path = join(folder, name.replaceAll(' ', '-'));
      traps[name]?.(path);
      const error = await failureOf(session.write(path, pieces(Buffer.from('ours'))));
      expect(exitCode(error.kind)).toBe(8);
      expect(error.message).toBe(`node: cannot write ${path}: something is already there`);
      expect(readFileSync(target(), 'utf8')).toBe('precious');
      expect(() => lstatSync(join(files.folder, 'not-there'))).toThrow('ENOENT');
    },
  );

  test('a folder that is not there is named', async () => {
    const error = await failureOf(session.write('/nowhere/at/all', pieces(Buffer.from('x'))));
    expect(error.message).toBe('node: cannot write /nowhere/at/all: no such file or folder');
  });
});

describe.skipIf(missing !== undefined)('a link that goes bad in the middle of a file', () => {
  /** Opens a session over a link and cuts into a write after its first megabytes. */
  async function disturbed(
    alias: string,
    harm: (link: Awaited<ReturnType<typeof startBadLink>>) => void,
    options: { readonly keepalive?: number; readonly stallTimeout?: number } = {},
  ): Promise<{ readonly error: ShipError; readonly path: string; readonly acknowledged: number }> {
    const link = await startBadLink(sshd.port);
    files.addHost(alias, sshd, { port: link.port });
    const { keepalive = 60_000, ...write } = options;
    const victim = await files.open(alias, { keepalive });
    const path = join(folder, alias);
    let acknowledged = 0;
    let harmed = false;
    const closed = Promise.withResolvers<void>();
    const error = await failureOf(
      victim.write(path, endless(closed.resolve), {
        ...write,
        onAcknowledged: (bytes) => {
          acknowledged = bytes;
          if (!harmed && bytes > 2_000_000) {
            harmed = true;
            harm(link);
          }
        },
      }),
    );
    await closed.promise;
    await link.stop();
    await victim[Symbol.asyncDispose]();
    return { error, path, acknowledged };
  }

  test('F15: silence is noticed by keepalives, exit class 5, and what was acknowledged is there', async () => {
    const { error, path, acknowledged } = await disturbed('dark', (link) => link.freeze(), {
      keepalive: 150,
    });
    expect(exitCode(error.kind)).toBe(5);
    expect(error.retryable).toBe(true);
    expect(acknowledged).toBeGreaterThan(2_000_000);
    expect(statSync(path).size).toBeGreaterThanOrEqual(acknowledged);
  });

  test('F15: silence is noticed by bytes that nobody takes, too', async () => {
    const { error } = await disturbed('stalled', (link) => link.freeze(), { stallTimeout: 400 });
    expect(exitCode(error.kind)).toBe(5);
    expect(error.message).toContain('no byte was taken for');
  });

  test('F18: one byte a second is noticed as bytes that nobody takes', async () => {
    const { error } = await disturbed('dripping', (link) => link.limit(1), { stallTimeout: 400 });
    expect(exitCode(error.kind)).toBe(5);
    expect(error.message).toContain('no byte was taken for');
  });

  test('F16: sshd killed in the middle is exit class 5, and no acknowledged byte is missing', async () => {
    const { error, path, acknowledged } = await disturbed('killed', () => sshd.cut());
    expect(exitCode(error.kind)).toBe(5);
    expect(error.retryable).toBe(true);
    expect(statSync(path).size).toBeGreaterThanOrEqual(acknowledged);
    // The process that was killed served the common session as well.
    session = await files.open('node');
  });

  test('F18: a flipped bit is found by the MAC and ends the connection, exit class 5', async () => {
    const { error } = await disturbed('flipped', (link) => link.flipNext());
    expect(exitCode(error.kind)).toBe(5);
    expect(error.retryable).toBe(true);
  });
});

const noMount =
  missing ??
  (await missingPart('a tmpfs', async () => {
    await run(['unshare', '--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  }));

describe.skipIf(noMount !== undefined)('a full disk', () => {
  test('F19: is never a success: exit class 8, with what went in and what is free', async () => {
    const small = join(files.folder, 'small');
    mkdirSync(small);
    await run(['mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', small]);
    try {
      const path = join(small, 'big');
      const error = await failureOf(session.write(path, endless()));
      expect(exitCode(error.kind)).toBe(8);
      expect(error.message).toMatch(
        /^node: cannot write .*\/big: refused after [78]\.\d MB, 0\.0 MB free in its folder$/,
      );
      expect(error.hint).toContain('df -h');
      // There is room again as soon as the part is gone.
      await session.remove(path);
      expect(await session.write(path, pieces(Buffer.alloc(1_000_000)))).toBe(1_000_000);
    } finally {
      await run(['umount', '-l', small]);
    }
  });

  test('F19: a file system that is read-only is exit class 8', async () => {
    const fixed = join(files.folder, 'fixed');
    mkdirSync(fixed);
    await run(['mount', '-t', 'tmpfs', '-o', 'ro', 'tmpfs', fixed]);
    try {
      const error = await failureOf(session.write(join(fixed, 'x'), pieces(Buffer.from('x'))));
      expect(exitCode(error.kind)).toBe(8);
    } finally {
      await run(['umount', '-l', fixed]);
    }
  });
});
