import { describe, expect, test } from 'vitest';
import { parseMachine, parseMemory, parsePlatform } from '../../../src/facts/machine.ts';

describe('the platform of a node', () => {
  test.each([
    ['x86_64\n', 'linux/amd64'],
    ['aarch64\n', 'linux/arm64'],
    ['riscv64\n', undefined],
    ['', undefined],
  ])('that calls itself %j is %s', (text, platform) => {
    expect(parsePlatform(text)).toBe(platform);
  });
});

describe('the machine', () => {
  test('has the boot id in the first line and its own in the second', () => {
    expect(parseMachine('b-1\nm1\n')).toEqual({ bootId: 'b-1', machineId: 'm1' });
  });

  test.each([
    ['b-1\n', { bootId: 'b-1', machineId: '' }],
    ['', { bootId: '', machineId: '' }],
  ])('that prints %j leaves empty what it does not say', (text, machine) => {
    expect(parseMachine(text)).toEqual(machine);
  });
});

test('free memory is what programs can still have, and none where nobody says', () => {
  const text =
    'MemTotal:       24683748 kB\nMemFree:        16736000 kB\nMemAvailable:   23754112 kB\n';
  expect(parseMemory(text)).toBe(23_754_112 * 1024);
  expect(parseMemory('MemTotal: 1 kB\n')).toBe(0);
});
