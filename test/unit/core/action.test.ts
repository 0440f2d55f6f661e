import { expect, test } from 'vitest';
import { planLines } from '../../../src/core/action.ts';

test('a dry run says what each action does, and below that its exact command', () => {
  const argv = ['rm', '-f', '--', '/etc/cni/net.d/a b'] as const;
  expect(planLines([{ argv, effect: 'removes a file' }])).toEqual([
    'removes a file',
    "  sudo rm -f -- '/etc/cni/net.d/a b'",
  ]);
});
