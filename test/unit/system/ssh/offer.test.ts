import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunLocal } from '../../../../src/system/ssh/resolve.ts';
import { connect } from '../../../../src/system/ssh/connect.ts';
import { failureOf } from '../../../support/docker-build.ts';

/** What our first packet offers to a server, read off the wire. */
let packet: Promise<Buffer>;
let port: number;
let stop: () => void;
beforeEach(async () => {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  packet = promise;
  const server = createServer((socket) => {
    let seen = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.write('SSH-2.0-test\r\n');
    socket.on('data', (bytes) => {
      seen = Buffer.concat([seen, bytes]);
      const start = seen.indexOf('\r\n') + 2;
      const whole = start > 1 && seen.length >= start + 4 + seen.readUInt32BE(start);
      if (!whole) return;
      resolve(seen.subarray(start + 4));
      socket.destroy();
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  port = (server.address() as AddressInfo).port;
  stop = () => void server.close();
});
afterEach(() => stop());

/** The ten lists of a KEXINIT: padding length, message number and cookie come before them. */
function listsOf(payload: Buffer): readonly (readonly string[])[] {
  const lists: string[][] = [];
  for (let at = 18; lists.length < 10;) {
    const length = payload.readUInt32BE(at);
    lists.push(payload.toString('latin1', at + 4, at + 4 + length).split(','));
    at += 4 + length;
  }
  return lists;
}

async function offered(known: string): Promise<readonly (readonly string[])[]> {
  const runLocal: RunLocal = async ([file]) => ({
    code: 0,
    stdout:
      file === 'ssh'
        ? `hostname 127.0.0.1\nport ${port}\nuser u\nidentityagent none\nuserknownhostsfile /dev/null\n`
        : known,
    stderr: '',
  });
  const options = { hostKeys: 'strict', runLocal } as const;
  const error = await failureOf(connect('node', 'node', options, AbortSignal.timeout(20_000)));
  expect(error.kind).toBe('network');
  return listsOf(await packet);
}

describe('the first packet', () => {
  test('D3: offers nothing that rests on SHA-1, RC4, CBC, DSS or MD5, and does not compress', async () => {
    const lists = await offered('');
    const all = lists.flat().join(' ');
    expect(all).not.toMatch(
      /sha1(?!\d)|ssh-rsa\b|ssh-dss|arcfour|cbc|md5|3des|blowfish|zlib|umac-64/,
    );
    expect(lists[6]).toEqual(['none']);
    expect(lists[7]).toEqual(['none']);
    // Against injected packets before encryption starts (CVE-2023-48795).
    expect(lists[0]).toContain('kex-strict-c-v00@openssh.com');
  });

  test.each([
    ['ssh-ed25519', ['ssh-ed25519']],
    ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
    ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
  ])('D3: asks first for the key type that is known: %s', async (type, first) => {
    const [, types = []] = await offered(`node ${type} AAAA\n`);
    expect(types.slice(0, first.length)).toEqual(first);
    expect(types).toHaveLength(6);
  });

  test('D3: a type that is only revoked or of an authority is not known', async () => {
    const lines = '@revoked node ssh-rsa AAAA\n@cert-authority node ecdsa-sha2-nistp521 AAAA\n';
    const [, types = []] = await offered(lines);
    expect(types[0]).toBe('ssh-ed25519');
  });
});
