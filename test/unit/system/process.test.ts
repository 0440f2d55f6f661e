import { describe, expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import { runProcess, type ProcessOptions } from '../../../src/system/process.ts';

const errorOf = (script: string, options: ProcessOptions): Promise<unknown> =>
  runProcess(['sh', '-c', script], options).then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error,
  );

describe('a program that does not finish in time', () => {
  test('is the error of whoever runs it', async () => {
    const own = new ShipError('network', 'own');
    expect(await errorOf('exec sleep 60', { timeout: 100, late: () => own })).toBe(own);
  });

  test('is a bug when nobody foresaw it', async () => {
    expect(await errorOf('exec sleep 60', { timeout: 100 })).toMatchObject({ kind: 'bug' });
  });
});

test('a program that fails in time is not late', async () => {
  const late = (): ShipError => new ShipError('network', 'late');
  expect(await errorOf('exit 3', { timeout: 60_000, late })).toMatchObject({ kind: 'bug' });
});

test('a program that the run ends is interrupted rather than late', async () => {
  const late = (): ShipError => new ShipError('network', 'late');
  const signal = AbortSignal.timeout(100);
  const error = await errorOf('exec sleep 60', { timeout: 60_000, late, signal });
  expect(error).toMatchObject({ kind: 'interrupted' });
});
