import { expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import { errorText } from '../../../src/output/error.ts';

test('an error says what, what next, the exit code and the log', () => {
  const error = new ShipError('storage', 'worker: 3.1 GB free, 4.0 GB needed', {
    hint: 'ciliumship images prune --nodes worker',
  });
  expect(errorText(error, '/state/run.log').split('\n')).toEqual([
    'worker: 3.1 GB free, 4.0 GB needed',
    '  next: ciliumship images prune --nodes worker',
    'exit 8 · log /state/run.log',
  ]);
});

test('a bug shows its stack and asks for a report', () => {
  const error = new ShipError('bug', 'boom', { cause: new TypeError('boom') });
  const text = errorText(error, undefined);
  expect(text).toContain('this is a bug in ciliumship');
  expect(text).toContain('TypeError: boom');
});
