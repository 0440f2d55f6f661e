import { expect, test } from 'vitest';
import { combineFailures, exitCode, ShipError, toShipError } from '../../../src/core/errors.ts';

test('several failures are one error of the highest class that names every node', () => {
  const failures = new Map([
    ['master', new ShipError('network', 'master: connection lost', { retryable: true })],
    ['worker', new ShipError('storage', 'worker: no space')],
  ]);
  const combined = combineFailures('transfer', failures);
  expect(exitCode(combined.kind)).toBe(8);
  expect(combined.message).toBe('transfer failed on master, worker');
  expect(combined.retryable).toBe(false);
  expect([...combined.failures.keys()]).toEqual(['master', 'worker']);
});

test('a single failure is reported as it is', () => {
  const only = new ShipError('identity', 'worker: host key changed');
  expect(combineFailures('plan', new Map([['worker', only]]))).toBe(only);
});

test('an error that no adapter translated is a bug and keeps its cause', () => {
  const cause = new TypeError('x is not a function');
  const error = toShipError(cause);
  expect([error.kind, exitCode(error.kind), error.cause]).toEqual(['bug', 1, cause]);
});
