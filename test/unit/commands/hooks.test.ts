import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CommandSpec } from '../../../src/commands/command.ts';
import type { HooksFlag } from '../../../src/commands/flags.ts';
import { runHook } from '../../../src/commands/shared/hooks.ts';
import { withReceipt } from '../../../src/commands/shared/receipt.ts';
import type { HookName } from '../../../src/config/normalise.ts';
import { ShipError } from '../../../src/core/errors.ts';
import { receiptSchema } from '../../../src/output/receipt/schema.ts';
import { testContext } from '../../support/context.ts';
import { testFolder } from '../../support/folder.ts';
import { until } from '../../support/parts.ts';

/** A push with nothing to do but its hooks. */
function push(act: () => Promise<void> = async () => undefined): CommandSpec<HooksFlag> {
  return {
    name: 'push',
    summary: '',
    description: '',
    examples: [],
    receipt: true,
    hooks: ['before-push', 'after-push', 'on-failure'],
    run: async (context) => {
      await runHook(context, 'before-push');
      await act();
      await runHook(context, 'after-push');
    },
  };
}

const full = (): Promise<void> =>
  Promise.reject(new ShipError('storage', 'worker: hunter2-hunter2 is full'));

/** A folder with a hook of this script, and what a command gets that may run it. */
function withHook(name: HookName, script: string, flags: object = { hooks: 'run' }, more = {}) {
  const folder = testFolder();
  writeFileSync(join(folder, 'hook'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const { context, lines } = testContext(folder, flags, { hooks: { [name]: 'hook', ...more } });
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  return { folder, context, lines, read };
}

describe('a hook', () => {
  test('gets the receipt on standard input and where it is in the environment', async () => {
    const { context, read, folder } = withHook('after-push', 'cat > in; env > env; pwd > pwd');
    await withReceipt(push(), context);
    expect(receiptSchema.parse(JSON.parse(read('in')))).toMatchObject({ command: 'push' });
    expect(read('env')).toContain('CILIUMSHIP_HOOK=after-push\n');
    expect(read('env')).toContain(`CILIUMSHIP_HOOK_CONFIG=${join(folder, 'ciliumship.yaml')}\n`);
    expect(read('env')).toContain('CILIUMSHIP_HOOK_NODES=worker\n');
    expect(read('pwd').trim()).toBe(folder);
  });

  test('need not read its input, however long that is', async () => {
    const { context, lines } = withHook('before-push', 'exec <&-; echo done');
    const long = { ...context, receiptSoFar: () => 'x'.repeat(1_000_000) as never };
    await runHook(long, 'before-push');
    expect(lines).toContain('before-push: done\n');
  });

  test('D9: shows what it prints without secrets and without steering the terminal', async () => {
    const script = String.raw`echo 'the token is hunter2-hunter2'; printf 'a\033[2Jb\n' >&2`;
    const { context, lines } = withHook('before-push', script);
    await withReceipt(push(), context);
    const all = lines.join('');
    expect(all).toContain('before-push: the token is [hidden]\n');
    expect(all).toContain(String.raw`before-push: a\u001b[2Jb`);
  });

  test('D9: shows no secret that is printed in two pieces, wherever it is cut', async () => {
    const cuts = Array.from({ length: 14 }, (_, at) => at + 1);
    const secret = 'hunter2-hunter2';
    const pieces = cuts.map(
      (at) => `printf %s '${secret.slice(0, at)}'; sleep 0.02; echo '${secret.slice(at)}'`,
    );
    const { context, lines } = withHook('before-push', pieces.join('\n'));
    await withReceipt(push(), context);
    const said = lines.filter((line) => line.startsWith('before-push: '));
    expect(said).toEqual(cuts.map(() => 'before-push: [hidden]\n'));
  });

  test('that is asked beforehand stops the run when it says no', async () => {
    const { context, read } = withHook('before-push', 'echo "not on a Friday"; exit 3');
    let acted = false;
    const run = withReceipt(
      push(async () => void (acted = true)),
      context,
    );
    await expect(run).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('ended with exit code 3') as string,
      details: ['not on a Friday'],
    });
    expect(acted).toBe(false);
    expect(read('.ciliumship/receipts/0001.json')).toContain('"exitCode": 2');
  });

  test('that is told afterwards changes nothing when it fails, and is named', async () => {
    const { context, lines, read } = withHook('after-push', 'exit 3');
    await withReceipt(push(), context);
    expect(lines.join('')).toContain('the hook after-push');
    expect(read('.ciliumship/receipts/0001.json')).toContain('"exitCode": 0');
  });

  test('on-failure is told what failed, and the failure stays what it was', async () => {
    const { context, read } = withHook('on-failure', 'cat > in; exit 1');
    await expect(withReceipt(push(full), context)).rejects.toMatchObject({ kind: 'storage' });
    expect(JSON.parse(read('in'))).toMatchObject({
      exitCode: 8,
      error: { kind: 'storage', message: 'worker: [hidden] is full' },
    });
  });

  test('is ended with all that it started when it takes too long', async () => {
    const script = 'sleep 300 & echo $! > pid; wait';
    const { context, read } = withHook('before-push', script, { hooks: 'run' }, { timeout: '1s' });
    await expect(withReceipt(push(), context)).rejects.toMatchObject({
      message: expect.stringContaining('did not end within 1 s') as string,
    });
    const pid = read('pid').trim();
    await until('the child has ended', 5, () => !isRunning(pid));
  });

  test('is ended by Ctrl-C, and on-failure is not run then', async () => {
    const { context, folder, read } = withHook('before-push', 'echo $$ > pid; sleep 300', {
      hooks: 'run',
    });
    const controller = new AbortController();
    const running = withReceipt(push(), { ...context, signal: controller.signal });
    await until('the hook runs', 20, () => existsSync(join(folder, 'pid')) && read('pid') !== '');
    controller.abort(new ShipError('interrupted', 'interrupted'));
    await expect(running).rejects.toMatchObject({ kind: 'interrupted' });
    await until('the hook has ended', 5, () => !isRunning(read('pid').trim()));
  });
});

/** A process that nobody has waited for yet has ended too. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('hooks of a config that may be someone else’s', () => {
  test('are refused with their paths when nobody said that they may run', async () => {
    const { context, folder } = withHook('before-push', 'touch ran', {});
    await expect(withReceipt(push(), context)).rejects.toMatchObject({
      kind: 'usage',
      details: [join(folder, 'hook')],
      hint: expect.stringContaining('--hooks run') as string,
    });
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  test('are not run when they are skipped, nor in a dry run, which names them', async () => {
    for (const flags of [{ hooks: 'skip' }, { dryRun: true }, { dryRun: true, hooks: 'run' }]) {
      const { context, folder, lines } = withHook('before-push', 'touch ran', flags);
      await withReceipt(push(), context);
      expect(existsSync(join(folder, 'ran'))).toBe(false);
      expect(lines.join('')).toContain(join(folder, 'hook'));
    }
  });

  test('are refused beforehand when they are no programs', async () => {
    const { context } = testContext(testFolder(), { hooks: 'run' } as object, {
      hooks: { 'after-push': 'nowhere' },
    });
    await expect(withReceipt(push(), context)).rejects.toMatchObject({ kind: 'config' });
  });
});
