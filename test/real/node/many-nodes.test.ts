import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startEndpoints, type Endpoints } from '../../../bench/scale/endpoints.ts';
import { ciliumship, type Ended } from '../../support/cli.ts';
import { makeExtraImage, removeFromDocker } from '../../support/extra-image.ts';
import { missingPart, onlyInAll, until } from '../../support/parts.ts';
import { requireStoreNode } from '../../support/store-node.ts';
import type { NodeResult } from '../../support/ship-result.ts';
import { startBadLink, type BadLink } from '../../support/tcp-proxy.ts';

/** A push to eight nodes, of which three are servers, behind one real sshd. */
const missing =
  onlyInAll('a minute, and what it shows of two nodes is in every run') ??
  (await missingPart('a node', requireStoreNode));
const NODES = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7', 'n8'];
const SERVERS = NODES.slice(0, 3);
const LAST = 'n8';
const IMAGE = 'many.local/app:1';
const SIZE = 4_000_000;

/** Notes when an import begins and ends, and takes its time. */
const NOTES = `#!/bin/sh
case "$*" in *"images import"*) ;; *) exec k3s-stub "$@";; esac
begun=$(date +%s%N)
k3s-stub "$@" || exit
sleep 0.3
echo "$begun $(date +%s%N)" >> /tmp/imports`;

describe.skipIf(missing !== undefined)('a push to eight nodes', () => {
  let endpoints: Endpoints;
  let home: string;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'ciliumship-many-'));
    writeFileSync(join(home, 'ciliumship.yaml'), CONFIG);
    endpoints = await startEndpoints(NODES.length);
  });
  afterAll(async () => {
    await endpoints?.stop();
    rmSync(home, { recursive: true, force: true });
    await removeFromDocker('many.local');
  });
  beforeEach(() => makeExtraImage(IMAGE, SIZE));

  async function push(sshConfig = endpoints.sshConfig): Promise<Ended> {
    const env = {
      CILIUMSHIP_CONFIG: join(home, 'ciliumship.yaml'),
      CILIUMSHIP_SSH_CONFIG: sshConfig,
      XDG_CACHE_HOME: join(home, 'cache'),
      XDG_STATE_HOME: join(home, 'state'),
    };
    return ciliumship(['push', '--no-build', '--max-rate', '20MB', '-o', 'json'], { env });
  }

  /** The way to the last node leads over a link. */
  function through(link: BadLink): string {
    const file = join(home, 'ssh_config');
    const lines = [
      `Host ${LAST}`,
      `Port ${link.port}`,
      `HostKeyAlias [127.0.0.1]:${endpoints.port}`,
    ];
    writeFileSync(file, `${lines.join('\n  ')}\n\n${readFileSync(endpoints.sshConfig, 'utf8')}`);
    return file;
  }

  it('imports on one server at a time, and on agents at once', async () => {
    const place = `cp k3s k3s-stub; cat > k3s <<'EOF'\n${NOTES}\nEOF`;
    await endpoints.run(`cd /usr/local/bin; ${place}`);
    const ended = await push();
    await endpoints.run('cd /usr/local/bin; mv k3s-stub k3s');
    expect(ended.code, ended.stderr).toBe(0);
    const seen = await Promise.all(NODES.map((node) => importOn(endpoints, node)));
    const servers = seen.slice(0, SERVERS.length).toSorted((one, other) => one.begun - other.begun);
    servers.slice(1).forEach(({ begun }, at) => {
      expect(begun).toBeGreaterThanOrEqual(servers[at]?.ended ?? 0);
    });
    const agents = seen.slice(SERVERS.length).toSorted((one, other) => one.begun - other.begun);
    expect(agents.some(({ begun }, at) => begun < (agents[at - 1]?.ended ?? 0))).toBe(true);
  });

  it('F21: of which one dies serves the seven others, and the rerun only that one', async () => {
    const link = await startBadLink(endpoints.port);
    const pushing = push(through(link));
    // Past the handshake and the measuring of the link, in the middle of the layer.
    await until('bytes on the wire', 60, () => link.sent > SIZE / 2);
    await link.stop();
    const cut = await pushing;
    expect(cut.code, cut.stderr).toBe(5);
    expect(states(cut)).toEqual(NODES.map((node) => (node === LAST ? 'failed' : 'shipped')));
    expect(cut.stderr).toMatch(new RegExp(`^${LAST}: .*\n  next: `, 'm'));
    const again = await push();
    expect(again.code, again.stderr).toBe(0);
    expect(states(again)).toEqual(
      NODES.map((node) => (node === LAST ? 'shipped' : 'nothing to do')),
    );
  });
});

const CONFIG = `version: 1
source: .
tag: dev
transfer: { retry: 0s }
images: {}
extraImages: [${IMAGE}]
nodes:
${NODES.map((node, index) => `  ${node}: ${nodeText(node, index)}`).join('\n')}
`;

function nodeText(node: string, index: number): string {
  const role = SERVERS.includes(node) ? 'server' : 'agent';
  const network = `dataInterface: eth0, dataAddress: 10.99.0.${index + 1}/24`;
  return `{ ssh: ${node}, role: ${role}, profile: p, ${network} }`;
}

interface Import {
  readonly begun: number;
  readonly ended: number;
}

/** When the only import on a node was under way, in nanoseconds; all nodes have one clock. */
async function importOn(endpoints: Endpoints, node: string): Promise<Import> {
  const text = await endpoints.run(`cat /nodes/${node}/tmp/imports`);
  const [, begun, ended] = /^(\d+) (\d+)$/.exec(text) ?? [];
  if (begun === undefined || ended === undefined) throw new Error(`${node}: ${text}`);
  return { begun: Number(begun), ended: Number(ended) };
}

function states(ended: Ended): readonly string[] {
  const { nodes } = ended.json() as { readonly nodes: readonly NodeResult[] };
  return NODES.map((name) => nodes.find(({ node }) => node === name)?.state ?? 'missing');
}
