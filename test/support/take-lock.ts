import { takeLock } from '../../src/core/lock.ts';
import { selfDescription } from '../../src/system/self.ts';

/**
 * Wants a lock that says what the first argument says and whose heart beats at every look, and prints
 * `taken` or why not. For tests in another namespace of process ids.
 */
const [, , text = ''] = process.argv;
let looks = 0;
let held = true;
const place = {
  name: 'worker',
  use: 'is shipping to it',
  take: async () => (held ? { text, beat: String((looks += 1)) } : undefined),
  remove: async () => {
    held = false;
  },
};
const { signal } = new AbortController();
const outcome = await takeLock(place, selfDescription(), { wait: 0, signal, note: () => undefined })
  .then(() => 'taken')
  .catch((error: unknown) => (error as Error).message);
process.stdout.write(outcome);
