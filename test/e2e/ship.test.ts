import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ciliumship, type Ended } from '../support/cli.ts';
import {
  emptyLab,
  isEmpty,
  kubectl,
  labEnvironment,
  nodeNamed,
  onNode,
  requireLab,
  startNode,
  stopNode,
} from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';
import type { NodeResult, ShipResult } from '../support/ship-result.ts';
import { changeBanner, resetTree } from '../support/tree.ts';

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();

const ship = (): Promise<Ended> => ciliumship(['ship', '-o', 'json'], { env });

/** Uid and restarts of every Cilium pod: the same text means that nothing was restarted. */
function pods(): Promise<string> {
  const fields = '{.metadata.uid} {.status.containerStatuses[*].restartCount}{"\\n"}';
  return kubectl(
    '-n',
    'kube-system',
    'get',
    'pods',
    '-o',
    `jsonpath={range .items[*]}${fields}{end}`,
  );
}

/** One story on one cluster: each test goes on where the one before it ended. */
describe.skipIf(missing !== undefined)('ship', () => {
  let first: ShipResult;
  let changed: ShipResult;

  beforeAll(async () => {
    await resetTree();
    if (!(await isEmpty())) await emptyLab();
    // Uncommitted from the start: the version string of the operator then stays the same too.
    changeBanner('first edition');
  });
  afterAll(resetTree);

  it('brings a patched tree to an empty cluster, with proof on every node', async () => {
    const ended = await ship();
    expect(ended.code, ended.stderr).toBe(0);
    first = ended.json() as ShipResult;
    expect(first.nodes.map(({ node, state }) => `${node} ${state}`).toSorted()).toEqual([
      'master shipped',
      'worker shipped',
    ]);
    for (const { images } of first.nodes) {
      expect(images).toHaveLength(6);
      for (const image of images) {
        expect(image).toMatchObject({ complete: true, unpacked: true, cri: true });
        expect(image.pinned).toMatch(/^(pinned|pin not honoured by containerd 1\.6)$/);
      }
    }
    expect(first.deploy.state).toBe('deployed');
    expect(first.checks.filter(({ state }) => state !== 'ok')).toEqual([]);
  });

  it('runs on every node the very image that was built', () => {
    const agent = first.nodes[0]?.images.find(({ key }) => key === 'cilium');
    expect(first.deploy.agents.map(({ image }) => image)).toEqual([agent?.config, agent?.config]);
  });

  it('gives pods on different nodes a way to each other', async () => {
    const relay = await kubectl(
      '-n',
      'kube-system',
      'get',
      'pods',
      '-l',
      'k8s-app=hubble-relay',
      '-o',
      'jsonpath={.items[0].status.podIP}',
    );
    const curl = ['curl', '-sf', '--max-time', '5', `http://${relay}:4245/`];
    await expect(onNode(nodeNamed('master'), ...curl)).resolves.toBeDefined();
  });

  it('does nothing the second time: no layer byte, no restart', async () => {
    const before = await pods();
    const ended = await ship();
    expect(ended.code, ended.stderr).toBe(0);
    const again = ended.json() as ShipResult;
    expect(again.nodes.map(({ state, bytes }) => ({ state, bytes }))).toEqual([
      { state: 'nothing to do', bytes: 0 },
      { state: 'nothing to do', bytes: 0 },
    ]);
    expect(again.deploy).toMatchObject({ state: 'nothing to do', revision: first.deploy.revision });
    expect(await pods()).toBe(before);
  });

  it('F42, K3: sends one layer after a one-line change and restarts each agent once', async () => {
    changeBanner('second edition');
    const ended = await ship();
    expect(ended.code, ended.stderr).toBe(0);
    changed = ended.json() as ShipResult;
    for (const { layers, layerBytes } of changed.nodes) {
      expect(layers).toBe(1);
      expect(layerBytes).toBeLessThan((first.nodes[0]?.layerBytes ?? 0) / 2);
    }
    const before = new Set(first.deploy.agents.map(({ uid }) => uid));
    expect(changed.deploy.agents.filter(({ uid }) => before.has(uid))).toEqual([]);
    const images = new Set(changed.deploy.agents.map(({ image }) => image));
    expect(images.size).toBe(1);
    expect(images.has(first.deploy.agents[0]?.image ?? '')).toBe(false);
    expect(await restarts()).toEqual(['0', '0']);
    expect(await status()).toContain('second edition');
  });

  it('F21: serves the other node when one is off, and heals when run again', async () => {
    changeBanner('third edition');
    await stopNode('worker');
    const cut = await ciliumship(['push', '-o', 'json'], { env });
    await startNode('worker');
    expect(cut.code, cut.stderr).toBe(5);
    const { nodes } = cut.json() as { readonly nodes: readonly NodeResult[] };
    expect(nodes.find(({ node }) => node === 'master')?.state).toBe('shipped');
    const worker = nodes.find(({ node }) => node === 'worker');
    expect(worker).toMatchObject({ state: 'failed', bytes: 0, error: { kind: 'network' } });
    expect(cut.stderr).toContain('worker');
    const healed = await ship();
    expect(healed.code, healed.stderr).toBe(0);
    const result = healed.json() as ShipResult;
    expect(result.nodes.map(({ node, state }) => `${node} ${state}`).toSorted()).toEqual([
      'master nothing to do',
      'worker shipped',
    ]);
    expect(result.checks.filter(({ state }) => state !== 'ok')).toEqual([]);
  });
});

async function restarts(): Promise<readonly string[]> {
  const path = '{.items[*].status.containerStatuses[0].restartCount}';
  const printed = await kubectl(
    '-n',
    'kube-system',
    'get',
    'pods',
    '-l',
    'k8s-app=cilium',
    '-o',
    `jsonpath=${path}`,
  );
  return printed.split(' ');
}

async function status(): Promise<string> {
  return kubectl(
    '-n',
    'kube-system',
    'exec',
    'ds/cilium',
    '-c',
    'cilium-agent',
    '--',
    'cilium-dbg',
    'status',
    '-o',
    'json',
  );
}
