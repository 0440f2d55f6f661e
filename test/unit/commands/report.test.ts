import { describe, expect, test } from 'vitest';
import {
  requireAll,
  shippedData,
  shippedSummary,
  shippedTable,
} from '../../../src/commands/shared/report.ts';
import type { ShippedNode } from '../../../src/commands/shared/ship-images.ts';
import { ShipError } from '../../../src/core/errors.ts';
import type { ImageProof } from '../../../src/core/image.ts';
import { shipImage, shippedNode } from '../../support/values.ts';

const AGENT = shipImage('cilium', ['base', 'agent']);
const OPERATOR = shipImage('operator-generic', ['base', 'operator']);
const SENT_NOTHING = { bytes: 0, layers: 0, layerBytes: 0, kept: 0 };
const LOST = new ShipError('network', 'lost: no route', { retryable: true });
const FAILED = shippedNode('lost', [], { state: 'failed', sent: SENT_NOTHING, error: LOST });

/** The cells of every line of a table, its head first. */
function cells(nodes: readonly ShippedNode[]): readonly (readonly string[])[] {
  return shippedTable(nodes)
    .split('\n')
    .map((line) => line.trim().split(/ {2,}/));
}

/** A node whose only proof says something else in one point. */
function proving(more: Partial<ImageProof>): ShippedNode {
  const node = shippedNode('worker', [AGENT]);
  return { ...node, proofs: node.proofs.map((proof) => ({ ...proof, ...more })) };
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
    expect(cells([shippedNode('worker', [AGENT, OPERATOR])])).toEqual([
      ['NODE', 'STATE', 'SENT', 'IMAGE', 'MANIFEST', 'CONFIG', 'PROVED'],
      ['worker', 'shipped', '2 MB', ...row(AGENT)],
      row(OPERATOR),
    ]);
  });

  test('says of a failed node that its images are as they were, and of no other', () => {
    const planned = shippedNode('worker', [], { state: 'planned', sent: SENT_NOTHING });
    expect(cells([FAILED, planned]).slice(1)).toEqual([
      ['lost', 'failed', '0 B', 'its images are as they were'],
      ['worker', 'planned', '0 B'],
    ]);
  });

  test.each<[Partial<ImageProof>, string]>([
    [{ complete: false }, 'not complete unpacked CRI pinned'],
    [{ unpacked: false }, 'complete not unpacked CRI pinned'],
    [{ cri: false }, 'complete unpacked not in CRI pinned'],
    [{ pinned: 'unpinned' }, 'complete unpacked CRI unpinned'],
  ])('says what is lacking: %o', (more, text) => {
    expect(cells([proving(more)])[1]?.at(-1)).toBe(text);
  });

  test('names under it the nodes whose containerd ignores the pin', () => {
    const pinned = 'pin not honoured by containerd 1.6';
    const nodes = [shippedNode('master', [AGENT]), proving({ pinned })];
    expect(shippedTable(nodes)).toMatch(/ pin\*\n\n\* pin not honoured .*: worker; .* is kept$/);
    expect(shippedTable(nodes.slice(0, 1))).not.toContain('*');
  });
});

describe('the summary of a push', () => {
  test('compares what was sent with what the images hold, a shared layer once', () => {
    const nodes = [shippedNode('master', [AGENT]), shippedNode('worker', [AGENT])];
    // base, agent and operator on two nodes
    expect(shippedSummary(nodes, [AGENT, OPERATOR])).toBe(
      `4 MB sent to 2 nodes, whose images hold ${2 * (4 + 5 + 8)} B`,
    );
  });

  test('says when there was nothing to do, on all nodes only', () => {
    const idle = shippedNode('worker', [AGENT], { state: 'nothing to do', sent: SENT_NOTHING });
    expect(shippedSummary([idle], [AGENT])).toMatch(/^nothing to do: 1 images .* on 1 nodes$/);
    expect(shippedSummary([idle, FAILED], [AGENT])).toMatch(/^0 B sent to 2 nodes/);
  });
});

test('machines read the numbers, the proofs, and the error of the node that has one', () => {
  const worker = shippedNode('worker', [AGENT]);
  expect(shippedData([worker, FAILED])).toEqual([
    {
      node: 'worker',
      state: 'shipped',
      bytes: 2_000_000,
      layers: 1,
      layerBytes: 1_999_000,
      images: worker.proofs,
    },
    {
      node: 'lost',
      state: 'failed',
      bytes: 0,
      layers: 0,
      layerBytes: 0,
      images: [],
      error: { kind: 'network', message: 'lost: no route' },
    },
  ]);
});

describe('a command', () => {
  test('succeeds when it did on every node', () => {
    expect(() => requireAll('push', [shippedNode('worker', [AGENT])])).not.toThrow();
  });

  test('ends with the one failure that there is', () => {
    expect(() => requireAll('push', [shippedNode('worker', [AGENT]), FAILED])).toThrow(LOST);
  });

  test('ends with the highest class of several, each under its node', () => {
    const full = new ShipError('storage', 'full: no room');
    const nodes = [FAILED, shippedNode('full', [], { state: 'failed', error: full })];
    expect(() => requireAll('push', nodes)).toThrowError(
      expect.objectContaining({
        kind: 'storage',
        message: 'push failed on lost, full',
        failures: new Map([
          ['lost', LOST],
          ['full', full],
        ]),
      }),
    );
  });
});
