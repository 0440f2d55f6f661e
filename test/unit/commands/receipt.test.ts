import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CommandSpec, Context } from '../../../src/commands/command.ts';
import { withReceipt } from '../../../src/commands/shared/receipt.ts';
import { ShipError } from '../../../src/core/errors.ts';
import { receiptSchema, type Receipt } from '../../../src/output/receipt/schema.ts';
import { runStage } from '../../../src/output/stage.ts';
import { testContext } from '../../support/context.ts';
import { testFolder } from '../../support/folder.ts';

/** A command of one stage with one step for the worker, by its Kubernetes name. */
function command(run: () => Promise<string>): CommandSpec {
  return {
    name: 'push',
    summary: '',
    description: '',
    examples: [],
    receipt: true,
    run: async (context: Context) => {
      await runStage('Roll out', [{ id: 'worker-1', title: 'replace', run }], context);
    },
  };
}

const working = command(async () => 'fine');
const failing = command(() =>
  Promise.reject(
    new ShipError('storage', 'worker: hunter2-hunter2 is full', { hint: 'make room' }),
  ),
);

function receiptsIn(folder: string): readonly string[] {
  return readdirSync(join(folder, '.ciliumship', 'receipts'));
}

function readReceipt(folder: string, name = '0001.json'): Receipt {
  const text = readFileSync(join(folder, '.ciliumship', 'receipts', name), 'utf8');
  return receiptSchema.parse(JSON.parse(text));
}

describe('a command that changes something', () => {
  test('leaves a receipt beside the config and prints its path', async () => {
    const folder = testFolder();
    const { context, lines } = testContext(folder);
    await withReceipt(working, context);
    expect(readReceipt(folder)).toMatchObject({
      command: 'push',
      config: join(folder, 'ciliumship.yaml'),
      exitCode: 0,
      stages: [{ stage: 'Roll out', steps: [{ step: 'worker-1', node: 'worker', state: 'done' }] }],
    });
    expect(receiptsIn(folder)).toEqual(['0001.html', '0001.json']);
    expect(lines.at(-1)).toMatch(/^receipt .*\.ciliumship\/receipts\/0001\.html\n$/);
  });

  test('leaves one when it fails too, without any secret, and fails as it did', async () => {
    const folder = testFolder();
    const run = withReceipt(failing, testContext(folder).context);
    await expect(run).rejects.toMatchObject({ kind: 'storage', hint: 'make room' });
    const receipt = readReceipt(folder);
    expect(receipt).toMatchObject({
      exitCode: 8,
      error: { kind: 'storage', message: 'worker: [hidden] is full', hint: 'make room' },
      stages: [{ state: 'failed', steps: [{ state: 'failed', error: { kind: 'storage' } }] }],
    });
    expect(JSON.stringify(receipt)).not.toContain('hunter2');
  });

  const refuse = () => {
    throw new ShipError('usage', '--nodes: no node fits typo');
  };

  test('leaves none when it is refused before anything was done', async () => {
    const folder = testFolder();
    const refused: CommandSpec = {
      ...working,
      run: async (context) => {
        await runStage(
          'Connect',
          [{ id: 'worker', title: 'connect', run: async () => '' }],
          context,
        );
        refuse();
      },
    };
    const run = withReceipt(refused, testContext(folder).context);
    await expect(run).rejects.toMatchObject({ kind: 'usage' });
    expect(existsSync(join(folder, '.ciliumship'))).toBe(false);
  });

  test('leaves one when it is refused after something was done', async () => {
    const folder = testFolder();
    const run: CommandSpec['run'] = async (context) => {
      await working.run(context);
      refuse();
    };
    const refused = withReceipt({ ...working, run }, testContext(folder).context);
    await expect(refused).rejects.toMatchObject({ kind: 'usage' });
    expect(receiptsIn(folder)).toHaveLength(2);
  });

  test('leaves one when it is interrupted', async () => {
    const folder = testFolder();
    const controller = new AbortController();
    const reason = new ShipError('interrupted', 'interrupted');
    const stopped = command(async () => {
      controller.abort(reason);
      controller.signal.throwIfAborted();
      return 'too late';
    });
    const context = { ...testContext(folder).context, signal: controller.signal };
    await expect(withReceipt(stopped, context)).rejects.toBe(reason);
    expect(readReceipt(folder)).toMatchObject({ exitCode: 130, error: { kind: 'interrupted' } });
  });

  test('adds it to the summary of a GitHub job', async () => {
    const folder = testFolder();
    const summary = join(folder, 'summary.md');
    writeFileSync(summary, 'before\n');
    vi.stubEnv('GITHUB_STEP_SUMMARY', summary);
    onTestFinished(() => void vi.unstubAllEnvs());
    await withReceipt(working, testContext(folder).context);
    expect(readFileSync(summary, 'utf8')).toMatch(/^before\n## ciliumship push: /);
  });

  test('says when the summary cannot be written, beside the receipt that was', async () => {
    const folder = testFolder();
    vi.stubEnv('GITHUB_STEP_SUMMARY', folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { context, lines } = testContext(folder);
    await withReceipt(working, context);
    expect(receiptsIn(folder)).toHaveLength(2);
    expect(lines.at(-1)).toMatch(/^nothing was added to the summary of the job: EISDIR/);
  });

  test('leaves none in a dry run', async () => {
    const folder = testFolder();
    await withReceipt(working, testContext(folder, { dryRun: true }).context);
    expect(existsSync(join(folder, '.ciliumship'))).toBe(false);
  });

  test('keeps its receipts out of git, so that a tree around them stays clean', async () => {
    const folder = testFolder();
    await withReceipt(working, testContext(folder).context);
    expect(readFileSync(join(folder, '.ciliumship', '.gitignore'), 'utf8')).toBe('*\n');
  });

  test('never writes through a link that a repository put in its folder', async () => {
    const folder = testFolder();
    const precious = join(folder, 'precious');
    writeFileSync(precious, 'keep me');
    mkdirSync(join(folder, '.ciliumship'));
    symlinkSync(precious, join(folder, '.ciliumship', '.gitignore'));
    await withReceipt(working, testContext(folder).context);
    expect(readFileSync(precious, 'utf8')).toBe('keep me');
    expect(receiptsIn(folder)).toHaveLength(2);
  });

  test.each([['.ciliumship'], ['.ciliumship', 'receipts']])(
    'writes and removes nothing behind a link that a repository put at %s',
    async (...parts) => {
      const folder = testFolder();
      const precious = join(testFolder(), 'receipts');
      mkdirSync(precious);
      const names = Array.from({ length: 60 }, (_, index) => `${1000 + index}.json`);
      for (const name of names) writeFileSync(join(precious, name), 'keep me');
      mkdirSync(join(folder, ...parts, '..'), { recursive: true });
      symlinkSync(parts.length === 1 ? join(precious, '..') : precious, join(folder, ...parts));
      const { context, lines } = testContext(folder);
      await withReceipt(working, context);
      expect(readdirSync(precious)).toEqual(names);
      expect(readdirSync(join(precious, '..'))).toEqual(['receipts']);
      expect(lines.at(-1)).toContain('is a link, and nothing is written there');
    },
  );

  test('keeps the newest 50', async () => {
    const folder = testFolder();
    for (let run = 0; run < 52; run += 1) await withReceipt(working, testContext(folder).context);
    const numbers = new Set(receiptsIn(folder).map((name) => name.slice(0, 4)));
    expect([...numbers].toSorted()).toEqual(
      Array.from({ length: 50 }, (_, index) => String(index + 3).padStart(4, '0')),
    );
  });

  test('does not fail for a receipt that cannot be written, and says so', async () => {
    const folder = testFolder();
    writeFileSync(join(folder, '.ciliumship'), 'in the way');
    const { context, lines } = testContext(folder);
    await withReceipt(working, context);
    expect(lines.at(-1)).toMatch(/^no receipt was written: /);
  });
});

test('a command that only looks leaves none', async () => {
  const folder = testFolder();
  await withReceipt({ ...working, receipt: false }, testContext(folder).context);
  expect(existsSync(join(folder, '.ciliumship'))).toBe(false);
});
