import { randomBytes } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingPart, onlyInAll, run } from '../../support/parts.ts';
import { makeSshFiles, type SshFiles } from '../../support/ssh-files.ts';
import { SSHD, startSshd, type OwnSshd } from '../../support/sshd.ts';
import { startBadLink } from '../../support/tcp-proxy.ts';

/** Large files over links that are slow, far away or near. */
const missing = await missingPart('sshd', () => run(['test', '-x', SSHD]));

let files: SshFiles;
let sshd: OwnSshd;
let folder: string;
beforeAll(async () => {
  if (missing !== undefined) return;
  files = makeSshFiles();
  sshd = await startSshd(join(files.folder, 'node'));
  files.addHost('node', sshd);
  folder = join(files.folder, 'inbox');
  mkdirSync(folder);
});
afterAll(async () => {
  await sshd?.stop();
  files?.remove();
});

async function* pieces(...list: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* list;
}

describe.skipIf(missing !== undefined)('a link that is not good, but works', () => {
  /** Sends `size` bytes over a link of its own and looks whether they arrived. */
  async function sent(alias: string, size: number, latency: number, rate?: number) {
    const link = await startBadLink(sshd.port, latency);
    files.addHost(alias, sshd, { port: link.port });
    const far = await files.open(alias, { keepalive: 1_500 });
    if (rate !== undefined) link.limit(rate);
    const content = randomBytes(size);
    await far.write(join(folder, alias), pieces(content));
    const arrived = readFileSync(join(folder, alias)).equals(content);
    await far[Symbol.asyncDispose]();
    await link.stop();
    return { arrived, connections: link.connections };
  }

  test('F17: is not taken for dead while bytes move, however few', async () => {
    expect(await sent('slow', 3_000_000, 100, 300_000)).toEqual({ arrived: true, connections: 1 });
  });

  test('F17: gets more connections when it is fast and far away, and the file is the same', async () => {
    const { arrived, connections } = await sent('far', 60_000_000, 200);
    expect(arrived).toBe(true);
    expect(connections).toBeGreaterThan(1);
  });

  test('gets one connection only when it is near', async () => {
    expect(await sent('near', 60_000_000, 0)).toEqual({ arrived: true, connections: 1 });
  });
});

const notAll = missing ?? onlyInAll('2 GB are sent');

describe.skipIf(notAll !== undefined)('a file of 2 GB', () => {
  test('costs no more memory than a small one', async () => {
    await using session = await files.open('node');
    const from = join(files.folder, 'sparse');
    writeFileSync(from, '');
    truncateSync(from, 2e9);
    const before = process.memoryUsage().rss;
    let most = before;
    const size = await session.write(join(folder, 'huge'), createReadStream(from), {
      onAcknowledged: () => (most = Math.max(most, process.memoryUsage().rss)),
    });
    expect(size).toBe(2e9);
    expect(most - before).toBeLessThan(150e6);
    await session.remove(join(folder, 'huge'));
  });
});
