import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { archiveIndex, saveStep } from '../../../src/image/archive-write.ts';
import { openStore } from '../../../src/image/store.ts';
import { requireKey, requireSigned, sign, verifySignature } from '../../../src/system/signature.ts';
import { readInto, RUN, storeImages } from '../../support/archives.ts';
import { run } from '../../support/parts.ts';
import { startAgent } from '../../support/ssh-agent.ts';

const CLI = resolve(import.meta.dirname, '../../../src/cli.ts');
const folder = mkdtempSync(join(tmpdir(), 'ciliumship-signed-'));
const at = (name: string): string => join(folder, name);
const SIGNERS = at('allowed');

/** A node that notes every knock. */
let node: Server;
let knocks = 0;

async function makeKey(name: string): Promise<string> {
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', at(name)]);
  return readFileSync(at(`${name}.pub`), 'utf8');
}

beforeAll(async () => {
  node = createServer((socket) => {
    knocks += 1;
    socket.destroy();
  });
  await new Promise<void>((listening) => {
    node.listen(0, '127.0.0.1', listening);
  });
  const address = node.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  writeFileSync(
    at('ciliumship.yaml'),
    `version: 1
source: .
extraImages: ['busybox:1']
nodes: { only: { ssh: 'root@127.0.0.1:${port}', role: server } }
`,
  );
  writeFileSync(SIGNERS, `ann@example.org ${await makeKey('ann')}`);
  await makeKey('eve');
  const store = await openStore(at('store'));
  const images = await storeImages(store);
  for (const file of ['images.tar.gz', 'images.tar'])
    await saveStep(images, at(file), store).run(RUN);
  for (const key of ['ann', 'eve']) {
    writeFileSync(at(`${key}.sig`), await sign(archiveIndex(images), at(key), RUN.signal));
  }
});
afterAll(() => {
  node.close();
  rmSync(folder, { recursive: true });
});

/** Pushes an archive with this signature beside it, by way of the command line. */
async function push(archive: string, signature: string | undefined, signers = SIGNERS) {
  const sig = at(`${archive}.sig`);
  rmSync(sig, { force: true });
  if (signature !== undefined) cpSync(at(signature), sig);
  knocks = 0;
  const words = ['push', '--archive', at(archive), '--allowed-signers', signers];
  const { exitCode, stderr } = await execa('node', [CLI, ...words, '--timeout', '1s'], {
    cwd: folder,
    reject: false,
    env: { XDG_CACHE_HOME: at('cache'), XDG_STATE_HOME: at('state'), HOME: folder },
  });
  return { code: exitCode, stderr, knocks };
}

/** Reads an archive with this signature beside it into a store, as a push does. */
async function read(archive: string, signature: string | undefined, signers = SIGNERS) {
  const sig = at(`${archive}.sig`);
  rmSync(sig, { force: true });
  if (signature !== undefined) cpSync(at(signature), sig);
  const trusted = { signature: sig, allowedSigners: signers };
  await requireSigned(at(archive), trusted);
  const signed: string[] = [];
  await readInto(await openStore(at('to')), at(archive), RUN.signal, async (index, signal) => {
    signed.push(await verifySignature(index, at(archive), trusted, signal));
  });
  return signed;
}

describe('a signed archive', () => {
  it.each(['images.tar.gz', 'images.tar'])(
    'D26: is read when someone signed it who may, compressed or not (%s)',
    async (archive) => {
      expect(await read(archive, 'ann.sig')).toEqual(['ann@example.org']);
    },
  );

  it('D26: is refused without a signature, or with one of something else', async () => {
    writeFileSync(at('other.sig'), await sign('something else', at('ann'), RUN.signal));
    writeFileSync(at('huge.sig'), Buffer.alloc(64 * 1024));
    writeFileSync(at('nonsense.sig'), 'nonsense');
    for (const signature of [undefined, 'other.sig', 'huge.sig', 'nonsense.sig']) {
      await expect(read('images.tar', signature), signature).rejects.toMatchObject({
        kind: 'integrity',
        hint: expect.stringContaining('nothing was sent') as string,
      });
    }
  });

  it('D26: is refused when the key is unknown, out of date or not meant for archives', async () => {
    const ann = readFileSync(at('ann.pub'), 'utf8');
    writeFileSync(at('old'), `ann valid-before="20200101" ${ann}`);
    writeFileSync(at('mail'), `ann namespaces="email" ${ann}`);
    writeFileSync(at('broken'), 'garbage\n');
    await expect(read('images.tar', 'eve.sig')).rejects.toMatchObject({ kind: 'identity' });
    for (const signers of ['old', 'mail', 'broken'].map(at)) {
      await expect(read('images.tar', 'ann.sig', signers), signers).rejects.toMatchObject({
        kind: 'identity',
      });
    }
  });

  it('D26: is refused when it holds other images than were signed', async () => {
    const store = await openStore(at('changed'));
    const images = await storeImages(store);
    await saveStep(images.slice(1), at('changed.tar'), store).run(RUN);
    await expect(read('changed.tar', 'ann.sig')).rejects.toMatchObject({ kind: 'integrity' });
  });

  it('D26: is not even unpacked when the allowed signers are missing', async () => {
    await expect(read('images.tar', 'ann.sig', at('nobody'))).rejects.toMatchObject({
      kind: 'usage',
    });
  });

  it('D26: goes to a node only when it was signed by someone who may', async () => {
    const refused = await push('images.tar', 'eve.sig');
    expect(refused).toMatchObject({ code: 6, knocks: 0 });
    const sent = await push('images.tar', 'ann.sig');
    expect(sent.stderr).toContain(`${at('images.tar')} was signed by ann@example.org`);
    expect(sent.knocks).toBeGreaterThan(0);
  });

  it('can be signed with a key that only the agent has', async () => {
    const agent = await startAgent(at('agent'), [at('eve')]);
    const before = process.env['SSH_AUTH_SOCK'];
    process.env['SSH_AUTH_SOCK'] = agent.socket;
    try {
      const publicOnly = at('only.pub');
      cpSync(at('eve.pub'), publicOnly);
      await requireKey(publicOnly);
      expect(await sign('x', publicOnly, RUN.signal)).toContain('BEGIN SSH SIGNATURE');
    } finally {
      if (before === undefined) delete process.env['SSH_AUTH_SOCK'];
      else process.env['SSH_AUTH_SOCK'] = before;
      await agent.stop();
    }
  });

  it('names a key that cannot be read before anything is built, and one that cannot sign', async () => {
    await expect(requireKey(at('nowhere'))).rejects.toMatchObject({ kind: 'usage' });
    cpSync(at('ann.pub'), at('lost.pub'));
    await expect(sign('x', at('lost.pub'), RUN.signal)).rejects.toMatchObject({ kind: 'identity' });
  });
});
