import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { missingPart } from '../../support/parts.ts';
import { makeSshFiles, type SshFiles } from '../../support/ssh-files.ts';
import { requireStoreNode, startStoreNode, type StoreNode } from '../../support/store-node.ts';

/** Links on which packets get lost: the kernel of the node drops them before sshd sees them. */
const missing = await missingPart('a node', requireStoreNode);

describe.skipIf(missing !== undefined)('a link that loses packets', () => {
  let files: SshFiles;
  let node: StoreNode;
  beforeAll(async () => {
    files = makeSshFiles();
    node = await startStoreNode(join(files.folder, 'node'));
    // Past the port that Docker publishes: its proxy would take everything before the loss.
    const lines = [`HostName ${node.address}`, 'Port 22', `HostKeyAlias [127.0.0.1]:${node.port}`];
    files.addHost('lossy', node, { lines });
  });
  afterAll(async () => {
    await node?.stop();
    files?.remove();
  });

  /** Drops what comes in for sshd and fits the match, until the test is over or someone calls what it returns. */
  async function drop(match: string): Promise<() => Promise<void>> {
    await node.run(`iptables-legacy -I INPUT -p tcp --dport 22 ${match} -j DROP`);
    const pass = async (): Promise<void> => void (await node.run('iptables-legacy -F INPUT'));
    onTestFinished(pass);
    return pass;
  }

  it('F17: is slow but works, also when the keepalive is short', async () => {
    await using session = await files.open('lossy', { keepalive: 1_500 });
    await drop('-m statistic --mode random --probability 0.05');
    const content = randomBytes(5_000_000);
    await session.write('/root/lossy', pieces(content));
    const hash = (await session.run(['sha256sum', '/root/lossy'])).stdout.slice(0, 64);
    expect(hash).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it('F17: and lets no large ones through is given up, and works when they pass again', async () => {
    const session = await files.open('lossy', { keepalive: 1_000 });
    const pass = await drop('-m length --length 1400:');
    const writing = session.write('/root/hole', pieces(randomBytes(1_000_000)));
    await expect(writing).rejects.toMatchObject({ kind: 'network', retryable: true });
    await pass();
    await session.reconnect(AbortSignal.timeout(30_000));
    expect(await session.write('/root/whole', pieces(randomBytes(1_000_000)))).toBe(1_000_000);
    await session[Symbol.asyncDispose]();
  });
});

async function* pieces(content: Uint8Array): AsyncGenerator<Uint8Array> {
  yield content;
}
