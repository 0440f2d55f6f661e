import { createReadStream, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, test } from 'vitest';
import { extract } from 'tar-stream';
import { hexOf } from '../../../src/core/digest.ts';
import { blobsOf } from '../../../src/core/image.ts';
import { LAYOUT, NODE_FOLDER } from '../../../src/facts/node-paths.ts';
import { indexText } from '../../../src/core/oci.ts';
import { importCommand } from '../../../src/import/layout.ts';
import { localNode, type LocalNode } from '../../support/local-node.ts';
import { shipImage } from '../../support/values.ts';

const AGENT = shipImage('cilium', ['base', 'agent']);
const OPERATOR = shipImage('operator-generic', ['base', 'operator']);
const STAGING = 'ciliumship.local/staging/cilium:t1';
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
    expect(node.run(importCommand(AGENT, STAGING, SENT)).code).toBe(0);
    expect([...(await stream()).keys()]).toEqual([
      'oci-layout',
      ...blobsOf(AGENT).map(({ digest }) => `blobs/sha256/${hexOf(digest)}`),
      'index.json',
    ]);
    const asked = await readFile(node.at(`${NODE_FOLDER}/asked`), 'utf8');
    expect(asked).toBe('ctr -n k8s.io images import -\n');
  });

  test('leaves out the layers that the node has', async () => {
    const sent = [AGENT.config, AGENT.manifest];
    expect(node.run(importCommand(AGENT, STAGING, sent)).code).toBe(0);
    expect((await stream()).size).toBe(4);
  });

  test('names the image by its staging name, and gives nothing another name', async () => {
    node.run(importCommand(AGENT, STAGING, SENT));
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

  test('of a second image writes its own index over the first', async () => {
    node.run(importCommand(AGENT, STAGING, SENT));
    node.run(importCommand(OPERATOR, STAGING, SENT));
    expect((await stream()).get('index.json')).toBe(
      indexText([{ image: OPERATOR, name: STAGING }]),
    );
  });

  test('passes every character of the index through the shell', async () => {
    const odd = `it's a "name" $HOME \`id\` %s \\n`;
    node.run(importCommand(AGENT, odd, SENT));
    expect((await stream()).get('index.json')).toBe(indexText([{ image: AGENT, name: odd }]));
  });
});

describe('an import fails', () => {
  test('when ctr does', () => {
    node.program('k3s', 'cat > /dev/null; echo "ctr: no such thing" >&2; exit 1');
    const { code, stderr } = node.run(importCommand(AGENT, STAGING, SENT));
    expect([code, stderr]).toEqual([1, 'ctr: no such thing\n']);
  });

  test('when a blob is not where it should be, although ctr is content', () => {
    const gone = { ...AGENT, layers: [...AGENT.layers, ...shipImage('x', ['gone']).layers] };
    expect(node.run(importCommand(gone, STAGING, blobsOf(gone))).code).not.toBe(0);
    expect(existsSync(node.at(`${NODE_FOLDER}/stream`))).toBe(true);
  });

  test('without leaving a temporary file', () => {
    node.program('mktemp', 'mkdir -p "$NODE/tmp"; echo "$NODE/tmp/rc"');
    node.program('k3s', 'exit 1');
    node.run(importCommand(AGENT, STAGING, SENT));
    expect(readdirSync(node.at(`${NODE_FOLDER}/tmp`))).toEqual([]);
  });
});
