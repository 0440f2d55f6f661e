import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { receipt } from '../../../src/commands/receipt.ts';
import { failedReceipt, shipReceipt } from '../../support/receipts.ts';
import { testFolder } from '../../support/folder.ts';
import { testContext } from '../../support/context.ts';

describe('the command receipt', () => {
  let folder: string;

  beforeEach(() => {
    folder = testFolder();
    const receipts = join(folder, '.ciliumship', 'receipts');
    mkdirSync(receipts, { recursive: true });
    writeFileSync(join(receipts, '0002.json'), JSON.stringify(failedReceipt()));
    writeFileSync(join(receipts, '0010.json'), JSON.stringify(shipReceipt()));
    writeFileSync(join(receipts, '0011.html'), 'a run that is writing its receipt now');
    writeFileSync(join(receipts, '0003.json'), '{ "version": 99 }');
    writeFileSync(join(receipts, '0004.json'), '{');
  });

  async function printed(args: readonly string[], flags = {}): Promise<string> {
    const { context, lines } = testContext(folder, flags);
    await receipt.run({ ...context, args });
    return lines.join('');
  }

  test('prints the last one', async () => {
    const text = await printed([]);
    expect(text).toContain('ship: revision 8 runs on 2 nodes');
    expect(text).toMatch(/^STAGE +THIS MACHINE +MASTER +WORKER$/m);
    expect(text).toMatch(/^Send +3\.1 s +3\.1 s$/m);
  });

  test.each(['2', '0002'])('prints number %s, a failed run with its reason', async (number) => {
    const text = await printed([number]);
    expect(text).toContain('push: the push failed');
    expect(text).toContain('  next: ciliumship images prune --nodes worker\nexit 8');
  });

  test('prints it for machines as it is', async () => {
    expect(JSON.parse(await printed([], { output: 'json' }))).toEqual(shipReceipt());
  });

  test('prints it as Markdown', async () => {
    expect(await printed([], { markdown: true })).toMatch(/^## ciliumship ship: /);
  });

  test.each([
    ['7', 'there is no receipt 7 in'],
    ['last', 'there is no receipt last in'],
    ['3', '0003.json is no receipt of this version of ciliumship'],
    ['4', '0004.json is no receipt of this version of ciliumship'],
  ])('refuses %s', async (number, message) => {
    await expect(printed([number])).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining(message) as string,
    });
  });

  test('says where receipts come from when there is none', async () => {
    folder = testFolder();
    await expect(printed([])).rejects.toThrow(`there is no receipt in ${folder}`);
  });
});
