import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for files that go with the run. */
export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

const open = new Set<string>();

/**
 * An empty folder, 0700, for as long as it is held. It is removed when the run ends before that, also
 * by a second Ctrl-C: there may be a key or an admin's kubeconfig in it.
 */
export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), 'ciliumship-'));
  if (open.size === 0) process.on('exit', removeAll);
  open.add(path);
  return { path, [Symbol.dispose]: () => discard(path) };
}

function discard(path: string): void {
  remove(path);
  open.delete(path);
  if (open.size === 0) process.off('exit', removeAll);
}

function removeAll(): void {
  for (const path of open) remove(path);
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
