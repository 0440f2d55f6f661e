import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import type { Holder } from '../../../src/core/lock.ts';
import { selfDescription } from '../../../src/system/self.ts';
import { missingPart, run } from '../../support/parts.ts';

const OWN_ROOT = process.getuid?.() === 0 ? [] : ['--map-root-user'];
const UNSHARE = ['unshare', ...OWN_ROOT, '--pid', '--fork'] as const;
const skip = await missingPart('a namespace of process ids', () => run([...UNSHARE, 'true']));
const PROGRAM = fileURLToPath(import.meta.resolve('../../support/take-lock.ts'));

const holder = (pid: number): Holder => ({ ...selfDescription().holder, id: 'x', pid });

/** What becomes of somebody who wants the lock of `other`, inside or outside a namespace. */
async function want(other: Holder, ...inside: readonly string[]): Promise<string> {
  return run(['env', ...inside, process.execPath, PROGRAM, JSON.stringify(other)]);
}

describe.skipIf(skip !== undefined)('a lock of a process that lives', () => {
  test('D19: is his in every container of his machine, where his process id is nobody’s', async () => {
    const { pid } = process;
    expect(await want(holder(pid))).toContain(`(process ${pid}) is shipping to it`);
    expect(await want(holder(pid), ...UNSHARE)).toContain(`(process ${pid}) is shipping to it`);
  });

  test('D19: of one that is dead is taken at once where he lived, and watched elsewhere', async () => {
    const ended = execa('true');
    await ended;
    const pid = ended.pid ?? 0;
    expect(await want(holder(pid))).toBe('taken');
    expect(await want(holder(pid), ...UNSHARE)).toContain(`(process ${pid}) is shipping to it`);
  });
});
