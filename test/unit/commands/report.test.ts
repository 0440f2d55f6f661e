import { describe, expect, test } from 'vitest';
import { requireAll, shippedData } from '../../../src/commands/shared/report.ts';
import { ShipError } from '../../../src/core/errors.ts';
import { shipImage, shippedNode } from '../../support/values.ts';

const AGENT = shipImage('cilium', ['base', 'agent']);
const OPERATOR = shipImage('operator-generic', ['base', 'operator']);
const SENT_NOTHING = { bytes: 0, layers: 0, layerBytes: 0, kept: 0 };
const LOST = new ShipError('network', 'lost: no route', { retryable: true });
const FAILED = shippedNode('lost', [], { state: 'failed', sent: SENT_NOTHING, error: LOST });

test('machines read the numbers, the proofs, and the error of the node that has one', () => {
  const before = { layers: 1, bytes: 4, configs: { cilium: OPERATOR.config.digest } };
  const worker = shippedNode('worker', [AGENT], { had: before });
  // base, agent and operator, of which both images have the first
  const whole = { layers: 3, bytes: 4 + 5 + 8 };
  expect(shippedData([worker, FAILED], [AGENT, OPERATOR])).toEqual([
    {
      node: 'worker',
      state: 'shipped',
      bytes: 2_000_000,
      layers: 1,
      layerBytes: 1_999_000,
      sent: [],
      had: { layers: 1, bytes: 4 },
      whole,
      before: { cilium: OPERATOR.config.digest },
      images: worker.proofs,
    },
    {
      node: 'lost',
      state: 'failed',
      bytes: 0,
      layers: 0,
      layerBytes: 0,
      sent: [],
      whole,
      before: {},
      images: [],
      error: { kind: 'network', message: 'lost: no route', details: [] },
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
