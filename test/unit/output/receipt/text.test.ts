import { describe, expect, test } from 'vitest';
import type { ReceiptNode } from '../../../../src/output/receipt/schema.ts';
import { nodesTable, sentSummary } from '../../../../src/output/receipt/text.ts';
import { receiptNode } from '../../../support/receipts.ts';
import { digestOf, shipImage } from '../../../support/values.ts';

const AGENT = shipImage('cilium', ['base', 'agent']);
const OPERATOR = shipImage('operator-generic', ['base', 'operator']);
const BOTH = [AGENT, OPERATOR];
const SENT_NOTHING = { bytes: 0, layers: 0, layerBytes: 0, kept: 0 };
const FAILED = receiptNode('lost', BOTH, { state: 'failed', sent: SENT_NOTHING, proofs: [] });

/** The cells of every line of a table, its head first. */
function cells(nodes: readonly ReceiptNode[]): readonly (readonly string[])[] {
  return nodesTable(nodes)
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));
}

/** A node whose only proof says something else in one point. */
function proving(more: Partial<ReceiptNode['images'][number]>): ReceiptNode {
  const node = receiptNode('worker', [AGENT]);
  return { ...node, images: node.images.map((proof) => ({ ...proof, ...more })) };
}

describe('the table of a push', () => {
  test('has a row for each image, with node, state and bytes in the first only', () => {
    const short = (digest: string): string => digest.slice(7, 19);
    const row = ({ key, manifest, config }: typeof AGENT): readonly string[] => [
      `${key}:dev`,
      short(manifest.digest),
      short(config.digest),
      'complete unpacked CRI pinned',
    ];
    expect(cells([receiptNode('worker', BOTH)])).toEqual([
      ['NODE', 'STATE', 'SENT', 'IMAGE', 'MANIFEST', 'CONFIG', 'PROVED'],
      ['worker', 'shipped', '2 MB', ...row(AGENT)],
      row(OPERATOR),
    ]);
  });

  test('says of a failed node that its images are as they were, and of no other', () => {
    const planned = receiptNode('worker', [], { state: 'planned', sent: SENT_NOTHING });
    expect(cells([FAILED, planned]).slice(1)).toEqual([
      ['lost', 'failed', '0 B', 'its images are as they were'],
      ['worker', 'planned', '0 B'],
    ]);
  });

  test.each([
    [{ complete: false }, 'not complete unpacked CRI pinned'],
    [{ unpacked: false }, 'complete not unpacked CRI pinned'],
    [{ cri: false }, 'complete unpacked not in CRI pinned'],
    [{ pinned: 'unpinned' } as const, 'complete unpacked CRI unpinned'],
  ])('says what is lacking: %o', (more, text) => {
    expect(cells([proving(more)])[1]?.at(-1)).toBe(text);
  });

  test('names under it the nodes whose containerd ignores the pin', () => {
    const pinned = 'pin not honoured by containerd 1.6';
    const nodes = [receiptNode('master', [AGENT]), proving({ pinned })];
    expect(nodesTable(nodes)).toMatch(/ pin\*\n\n\* pin not honoured .*: worker; .* is kept$/);
    expect(nodesTable(nodes.slice(0, 1))).not.toContain('*');
  });
});

describe('under the table of a push', () => {
  const layer = { digest: digestOf('new'), size: 157_000_000, bytes: 6_900_000 };
  const below = (sent: ReceiptNode['sent']): readonly string[] =>
    nodesTable([{ ...receiptNode('worker', [AGENT]), sent }])
      .split('\n')
      .slice(2);

  test('stands each layer that came as a patch, with its base', () => {
    const base = digestOf('old');
    const text = `worker: layer ${digestOf('new').slice(7, 19)} as a patch of ${base.slice(7, 19)}: 6.9 MB of 157 MB`;
    expect(below([{ ...layer, form: 'patch', base }])).toEqual(['', text]);
  });

  test('stands why a layer came whole although a patch was wanted', () => {
    const lines = below([{ ...layer, form: 'zstd', sentWhole: 'no zstd on the node' }]);
    expect(lines[1]).toMatch(/patch → sent whole: no zstd on the node \(6\.9 MB of 157 MB\)$/);
  });

  test('stands nothing of a layer that came whole as planned', () => {
    expect(below([{ ...layer, form: 'zstd' }])).toEqual([]);
  });
});

describe('the summary of a push', () => {
  test('compares what was sent with what the images hold, a shared layer once', () => {
    const nodes = [receiptNode('master', BOTH), receiptNode('worker', BOTH)];
    // base, agent and operator on two nodes
    expect(sentSummary(nodes, 2)).toBe(
      `4 MB sent to 2 nodes, whose images hold ${2 * (4 + 5 + 8)} B`,
    );
  });

  test('says when there was nothing to do, on all nodes only', () => {
    const idle = receiptNode('worker', [AGENT], { state: 'nothing to do', sent: SENT_NOTHING });
    expect(sentSummary([idle], 1)).toMatch(/^nothing to do: 1 image is .* on 1 node$/);
  });

  test('counts no node that failed among those that have the images', () => {
    const idle = receiptNode('worker', [AGENT], { state: 'nothing to do', sent: SENT_NOTHING });
    expect(sentSummary([idle, FAILED], 1)).toBe('0 B sent · 1 of 2 nodes has every image, proved');
  });
});
