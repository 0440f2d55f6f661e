import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTENT } from '../../src/facts/node-paths.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import {
  changedConfig,
  labEnvironment,
  NODES,
  nodeNamed,
  onNode,
  requireLab,
} from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';
import type { NodeResult } from '../support/ship-result.ts';
import { changeBanner, resetTree } from '../support/tree.ts';

const missing = await missingPart('the lab', requireLab);

/** Every layer that can be is a patch, so that no busy machine makes a link look fast or slow. */
function environment(patch: 'always' | 'never'): NodeJS.ProcessEnv {
  return labEnvironment(changedConfig((text) => `${text}\ntransfer: { patch: ${patch} }\n`));
}

/** The agent layer of an edition, as each node got it. */
async function push(edition: string, patch: 'always' | 'never'): Promise<readonly NodeResult[]> {
  changeBanner(`${edition} of ${process.pid}`);
  return nodesOf(await ciliumship(['push', '-o', 'json'], { env: environment(patch) }));
}

function nodesOf(ended: Ended): readonly NodeResult[] {
  expect(ended.code, ended.stderr).toBe(0);
  const { nodes } = ended.json() as { readonly nodes: readonly NodeResult[] };
  expect(nodes).toHaveLength(NODES.length);
  return nodes;
}

function expectProved(nodes: readonly NodeResult[]): void {
  for (const { state, images } of nodes) {
    expect(state).toBe('shipped');
    expect(images.every(({ complete, unpacked, cri }) => complete && unpacked && cri)).toBe(true);
  }
}

const hexOf = (digest: string | undefined): string => digest?.slice('sha256:'.length) ?? '';

/** Each test goes on where the one before it ended. */
describe.skipIf(missing !== undefined)('a changed line', () => {
  let whole = 0;
  let newest = '';

  beforeAll(async () => {
    await resetTree();
    await push('first', 'never');
  });
  afterAll(resetTree);

  it('is the whole layer of the agent when patches are not wanted', async () => {
    const nodes = await push('second', 'never');
    for (const { sent } of nodes) expect(sent).toMatchObject([{ form: 'zstd' }]);
    whole = nodes[0]?.sent[0]?.bytes ?? 0;
  });

  it('D14: travels as a patch in a tenth of the bytes, and every node proves the image', async () => {
    const nodes = await push('third', 'always');
    expectProved(nodes);
    for (const { sent, layerBytes } of nodes) {
      expect(sent).toMatchObject([{ form: 'patch', bytes: layerBytes }]);
      expect(layerBytes).toBeLessThan(whole / 10);
    }
    newest = nodes[0]?.sent[0]?.digest ?? '';
  });

  it('is planned with bytes and seconds in a dry run, which sends nothing', async () => {
    changeBanner(`fourth of ${process.pid}`);
    const env = environment('always');
    await ciliumship(['build'], { env });
    const nodes = nodesOf(
      await ciliumship(['push', '--no-build', '--dry-run', '-o', 'json'], { env }),
    );
    for (const { state, bytes, sent } of nodes) {
      expect({ state, bytes }).toEqual({ state: 'planned', bytes: 0 });
      expect(sent).toMatchObject([{ form: 'patch', base: newest }]);
      expect(sent[0]?.bytes).toBeLessThan(whole / 10);
      expect(sent[0]?.expectedSeconds).toBeGreaterThan(0);
    }
  });

  it('D14: comes whole in the same run where the base is gone or has other bytes', async () => {
    const base = `${CONTENT}/${hexOf(newest)}`;
    await onNode(nodeNamed('master'), 'mv', base, '/root/base');
    await onNode(nodeNamed('worker'), 'cp', base, '/root/base');
    const spoil = 'chmod u+w "$1" && printf x | dd of="$1" bs=1 seek=100000 conv=notrunc';
    await onNode(nodeNamed('worker'), 'sh', '-c', spoil, 'spoil', base);
    try {
      const nodes = await push('fourth', 'always');
      expectProved(nodes);
      const reasons = nodes.map(({ node, sent }) => [node, sent[0]?.form, sent[0]?.sentWhole]);
      expect(new Map(reasons.map(([node, ...rest]) => [node, rest.join(': ')]))).toEqual(
        new Map([
          ['master', 'zstd: the layer it is a patch of is gone from the node'],
          ['worker', 'zstd: the layer it is a patch of has other bytes on the node'],
        ]),
      );
      for (const { bytes } of nodes) expect(bytes).toBeGreaterThan(whole * 0.9);
    } finally {
      for (const node of NODES) {
        await onNode(node, 'sh', '-c', 'mv /root/base "$1"; chmod a-w "$1"', 'mend', base);
      }
    }
  });
});
