import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What a run of the tests leaves in the folder for temporary files lies in one of its own, which goes
 * with it: tests that are skipped, fail or are ended tidy nothing themselves. Vitest calls it once.
 *
 * @returns what removes it
 */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-tests-'));
  // Some tests let other users into a folder of theirs.
  chmodSync(folder, 0o711);
  process.env['TMPDIR'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
