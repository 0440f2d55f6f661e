import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from 'vitest';
import { extract } from 'tar-stream';
import { hexOf } from '../../../src/core/digest.ts';
import { blobsOf } from '../../../src/core/image.ts';
import { IMPORTING, LAYOUT, NODE_FOLDER } from '../../../src/facts/node-paths.ts';
import { indexText } from '../../../src/core/oci.ts';
import { importCommand } from '../../../src/import/layout.ts';
import { localNode, type LocalNode } from '../../support/local-node.ts';
import { shipImage } from '../../support/values.ts';

const AGENT = shipImage('cilium', ['base', 'agent']);
const OPERATOR = shipImage('operator-generic', ['base', 'operator']);
const STAGING = 'ciliumship.local/staging/cilium:t1';
const OPTIONS = { staging: STAGING, token: 't1', maxRate: undefined };
const SENT = [...blobsOf(AGENT), ...blobsOf(OPERATOR).slice(1)];

let node: LocalNode;
beforeEach(() => {
  node = localNode();
  node.program('k3s', 'echo "$@" > "$NODE/asked"; cat > "$NODE/stream"');
  mkdirSync(node.at(`${LAYOUT}/blobs/sha256`), { recursive: true });
  for (const { digest } of SENT) {
    writeFileSync(node.at(`${LAYOUT}/blobs/sha256/${hexOf(digest)}`), digest);
  }
});

/** Names and texts of what the fake k3s was fed with, in order. */
async function stream(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const entries = createReadStream(node.at(`${NODE_FOLDER}/stream`)).pipe(extract());
  for await (const entry of entries) files.set(entry.header.name, await text(entry));
  return files;
}

describe('an import', () => {
  test('feeds ctr with the image’s own blobs that came, and index.json last', async () => {
    expect(node.run(importCommand(AGENT, OPTIONS, SENT)).code).toBe(0);
    expect([...(await stream()).keys()]).toEqual([
      'oci-layout',
      ...blobsOf(AGENT).map(({ digest }) => `t1/blobs/sha256/${hexOf(digest)}`),
      'index.json',
    ]);
    const asked = await readFile(node.at(`${NODE_FOLDER}/asked`), 'utf8');
    expect(asked).toBe('ctr -n k8s.io images import -\n');
  });

  test('leaves out the layers that the node has', async () => {
    const sent = [AGENT.config, AGENT.manifest];
    expect(node.run(importCommand(AGENT, OPTIONS, sent)).code).toBe(0);
    expect((await stream()).size).toBe(4);
  });

  test('names the image by its staging name, and gives nothing another name', async () => {
    node.run(importCommand(AGENT, OPTIONS, SENT));
    const index = (await stream()).get('index.json') ?? '';
    expect(index).toBe(indexText([{ image: AGENT, name: STAGING }]));
    expect(JSON.parse(index)).toMatchObject({
      manifests: [
        {
          digest: AGENT.manifest.digest,
          size: AGENT.manifest.size,
          platform: { os: 'linux', architecture: 'amd64' },
          annotations: { 'io.containerd.image.name': STAGING },
        },
      ],
    });
    expect(index).not.toContain('quay.io');
  });

  test('F22: has paths of its own, so that nothing that a killed one half wrote is gone on with', async () => {
    node.run(importCommand(AGENT, { ...OPTIONS, token: 't2' }, SENT));
    const blobs = [...(await stream()).keys()].filter((path) => path.includes('blobs/'));
    expect(blobs.filter((path) => !path.startsWith('t2/blobs/sha256/'))).toEqual([]);
  });

  test('says when it began, until it has ended', () => {
    node.program('k3s', 'cat > /dev/null; cp "$NODE/layout/importing" "$NODE/seen"');
    node.run(importCommand(AGENT, OPTIONS, SENT));
    const now = Date.now() / 1000;
    const begun = Number(readFileSync(node.at(`${NODE_FOLDER}/seen`), 'utf8'));
    expect(now - begun).toBeGreaterThanOrEqual(0);
    expect(now - begun).toBeLessThan(60);
    expect(existsSync(node.at(IMPORTING))).toBe(false);
  });

  test('is as gentle as can be on processor and disk', () => {
    node.program('k3s', 'cat > /dev/null; nice > "$NODE/seen"');
    node.run(importCommand(AGENT, OPTIONS, SENT));
    const own = Number(spawnSync('nice', { encoding: 'utf8' }).stdout);
    const niceness = Number(readFileSync(node.at(`${NODE_FOLDER}/seen`), 'utf8'));
    expect(niceness).toBe(Math.max(own, 10));
  });

  test('lets no more through in a second than it may, and loses nothing', async () => {
    node.program('sleep', 'echo "$1" >> "$NODE/slept"');
    const whole = node.run(importCommand(AGENT, { ...OPTIONS, maxRate: 10 }, SENT));
    expect(whole.code).toBe(0);
    const bytes = blobsOf(AGENT).reduce((sum, { size }) => sum + size, 0);
    const slept = readFileSync(node.at(`${NODE_FOLDER}/slept`), 'utf8');
    expect(slept).toBe('1\n'.repeat(Math.ceil(bytes / 10)));
    expect([...(await stream()).keys()].at(-1)).toBe('index.json');
  });

  test('of a second image writes its own index over the first', async () => {
    node.run(importCommand(AGENT, OPTIONS, SENT));
    node.run(importCommand(OPERATOR, OPTIONS, SENT));
    expect((await stream()).get('index.json')).toBe(
      indexText([{ image: OPERATOR, name: STAGING }]),
    );
  });

  test('passes every character of the index through the shell', async () => {
    const odd = `it's a "name" $HOME \`id\` %s \\n`;
    node.run(importCommand(AGENT, { ...OPTIONS, staging: odd }, SENT));
    expect((await stream()).get('index.json')).toBe(indexText([{ image: AGENT, name: odd }]));
  });
});

describe('an import fails', () => {
  test('when ctr does', () => {
    node.program('k3s', 'cat > /dev/null; echo "ctr: no such thing" >&2; exit 1');
    const { code, stderr } = node.run(importCommand(AGENT, OPTIONS, SENT));
    expect([code, stderr]).toEqual([1, 'ctr: no such thing\n']);
  });

  test('when a blob is not where it should be, although ctr is content', () => {
    const gone = { ...AGENT, layers: [...AGENT.layers, ...shipImage('x', ['gone']).layers] };
    expect(node.run(importCommand(gone, OPTIONS, blobsOf(gone))).code).not.toBe(0);
    expect(existsSync(node.at(`${NODE_FOLDER}/stream`))).toBe(true);
  });

  test('and leaves when it began, so that what containerd kept of it is found', () => {
    node.program('k3s', 'exit 1');
    node.run(importCommand(AGENT, OPTIONS, SENT));
    expect(readFileSync(node.at(IMPORTING), 'utf8')).toMatch(/^\d+\n$/);
  });

  test('without leaving a temporary file', () => {
    node.program('mktemp', 'echo "$@" > "$NODE/made"; exec /bin/mktemp "$@"');
    node.program('k3s', 'exit 1');
    node.run(importCommand(AGENT, OPTIONS, SENT));
    expect(existsSync(node.at(`${NODE_FOLDER}/made`))).toBe(false);
  });
});
