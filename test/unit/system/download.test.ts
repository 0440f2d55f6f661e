import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { download } from '../../../src/system/download.ts';
import { testFolder } from '../../support/folder.ts';

const TEXT = 'what the address gives';
const SUM = createHash('sha256').update(TEXT).digest('hex');
const { signal } = new AbortController();

let cache: string;
beforeEach(() => {
  cache = testFolder();
  vi.stubEnv('XDG_CACHE_HOME', cache);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** An address of this machine that answers so. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/k3s`;
}

const gives: RequestListener = (_, answer) => void answer.end(TEXT);

describe('a file that is fetched', () => {
  test('is kept under its sum, and fetched once', async () => {
    let asked = 0;
    const url = await serve((request, answer) => {
      asked += 1;
      gives(request, answer);
    });
    const file = await download('k3s.binary', url, SUM, signal);
    expect(readFileSync(file, 'utf8')).toBe(TEXT);
    expect(await download('k3s.binary', url, SUM, signal)).toBe(file);
    expect(asked).toBe(1);
    expect(readdirSync(join(cache, 'ciliumship/downloads'))).toEqual([SUM]);
  });

  test('with other bytes is refused, and not kept', async () => {
    const wanted = SUM.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const fetched = download('k3s.binary', await serve(gives), wanted, signal);
    await expect(fetched).rejects.toMatchObject({ kind: 'integrity' });
    expect(readdirSync(join(cache, 'ciliumship/downloads'))).toEqual([]);
  });

  test.each<readonly [string, RequestListener, string]>([
    ['that is not there', (_, answer) => void answer.writeHead(404).end(), 'it answers 404'],
    [
      'that ends in the middle',
      (_, answer) => {
        answer.writeHead(200, { 'content-length': '1000' });
        answer.write(TEXT, () => answer.destroy());
      },
      'terminated',
    ],
  ])('%s is a fault of the network, with its address', async (_, answer, why) => {
    const url = await serve(answer);
    await expect(download('k3s.binary', url, SUM, signal)).rejects.toMatchObject({
      kind: 'network',
      message: `cannot fetch k3s.binary from ${url}: ${why}`,
    });
    expect(readdirSync(join(cache, 'ciliumship/downloads'))).toEqual([]);
  });
});

describe('a cache that takes nothing is no fault of the network', () => {
  test('when its disk is full', async () => {
    const folder = join(cache, 'ciliumship/downloads');
    mkdirSync(folder, { recursive: true });
    symlinkSync('/dev/full', join(folder, `${SUM}.${process.pid}.part`));
    await expect(download('k3s.binary', await serve(gives), SUM, signal)).rejects.toMatchObject({
      kind: 'build',
      message: `cannot write to ${folder}: ENOSPC`,
      hint: expect.stringContaining('XDG_CACHE_HOME'),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('when it cannot be made', async () => {
    // Not even root may make a folder there.
    vi.stubEnv('XDG_CACHE_HOME', '/sys/fs');
    await expect(download('k3s.binary', await serve(gives), SUM, signal)).rejects.toMatchObject({
      kind: 'build',
      message: expect.stringMatching(/^cannot write to \/sys\/fs\/.*: E(PERM|ACCES|ROFS)$/),
    });
  });
});
