import { expect, test } from 'vitest';
import { hadBefore } from '../../../src/facts/had-before.ts';
import { EMPTY_NODE, nodeWith, shipImage } from '../../support/values.ts';

const OLD = shipImage('cilium', ['base', 'agent']);
const NEW = shipImage('cilium', ['base', 'new agent']);
const OPERATOR = shipImage('operator-generic', ['base', 'operator']);

test('of two images that share a layer the node had that one, counted once', () => {
  expect(hadBefore(nodeWith([OLD]), [NEW, OPERATOR])).toEqual({
    layers: 1,
    bytes: 'base'.length,
    configs: { cilium: OLD.config.digest },
  });
});

test('an empty node had nothing', () => {
  expect(hadBefore(EMPTY_NODE, [NEW])).toEqual({ layers: 0, bytes: 0, configs: {} });
});
