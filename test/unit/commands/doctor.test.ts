import { expect, test } from 'vitest';
import { requireSeen } from '../../../src/commands/shared/view.ts';
import { ShipError } from '../../../src/core/errors.ts';
import type { Finding } from '../../../src/doctor/problem.ts';
import { view } from '../../support/views.ts';

const OK: Finding = { id: 'E1', where: 'worker', state: 'ok', proof: '' };
const UNKNOWN: Finding = { ...OK, id: 'E7', where: 'cluster', state: 'unknown' };
const SILENT = new ShipError('network', 'the API server does not answer');
const REFUSED = new ShipError('identity', 'worker: sudo wants a password');
const NOBODY = new Map<string, ShipError>();

test('doctor does not end well when a node that is connected could not be looked at', () => {
  const sight = { view: view(), nodes: new Map([['worker', REFUSED]]), cluster: undefined };
  expect(() => requireSeen(sight, [OK])).toThrow(REFUSED);
});

test('nor when a cluster was silent that something was asked of', () => {
  const sight = { view: view(), nodes: NOBODY, cluster: SILENT };
  expect(() => requireSeen(sight, [OK, UNKNOWN])).toThrow(SILENT);
  expect(() => requireSeen(sight, [OK])).not.toThrow();
});

test('and with both it ends with the higher class', () => {
  const sight = { view: view(), nodes: new Map([['worker', REFUSED]]), cluster: SILENT };
  expect(() => requireSeen(sight, [UNKNOWN])).toThrow(
    expect.objectContaining({ kind: 'identity', message: expect.stringContaining('the cluster') }),
  );
});

test('everything that was seen is enough', () => {
  expect(() =>
    requireSeen({ view: view(), nodes: NOBODY, cluster: undefined }, [UNKNOWN]),
  ).not.toThrow();
});
