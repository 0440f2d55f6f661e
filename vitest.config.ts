import { defineConfig } from 'vitest/config';

const MINUTE = 60_000;

/**
 * Four projects, from fast to slow (docs/architecture.md). `unit` needs nothing but Node; the others
 * need real parts and run one file at a time, because they share Docker and the lab. A missing part
 * is a skip with its reason, and a failure when CI is set. There one that fails with real parts is
 * run once more, and `npm test` names it: what fails twice is broken, what fails once is to be mended.
 */
export default defineConfig({
  test: {
    globalSetup: 'test/support/own-tmp.ts',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: MINUTE,
          sequence: { groupOrder: 0 },
        },
      },
      real('contract', 1, 2 * MINUTE),
      real('real', 2, 5 * MINUTE),
      real('e2e', 3, 10 * MINUTE),
    ],
  },
});

function real(name: string, groupOrder: number, timeout: number) {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout: timeout,
      hookTimeout: timeout,
      fileParallelism: false,
      retry: process.env['CI'] ? 1 : 0,
      sequence: { groupOrder },
    },
  };
}
