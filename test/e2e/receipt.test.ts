import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { receiptSchema } from '../../src/output/receipt/schema.ts';
import { ciliumship } from '../support/cli.ts';
import { changedConfig, labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);

describe.skipIf(missing !== undefined)('a receipt', () => {
  it('is left by a push that reached only one node, and can be read again', async () => {
    const config = changedConfig((text) => text.replace('ssh: worker', 'ssh: nobody.invalid'));
    const folder = dirname(config);
    const summary = join(folder, 'summary.md');
    writeFileSync(summary, '');
    const env = { ...labEnvironment(config), GITHUB_STEP_SUMMARY: summary };
    const pushed = await ciliumship(['push'], { env, cwd: folder });
    expect(pushed.code, pushed.stderr).toBe(5);
    expect(pushed.stderr).toContain('receipt .ciliumship/receipts/0001.html\n');

    const printed = await ciliumship(['receipt', '-o', 'json'], { env, cwd: folder });
    const receipt = receiptSchema.parse(printed.json());
    expect(receipt).toMatchObject({ command: 'push', exitCode: 5, error: { kind: 'network' } });
    const [master, worker] = receipt.nodes;
    expect(master).toMatchObject({ node: 'master', had: { bytes: expect.any(Number) as number } });
    const proved = (master?.images ?? []).map(({ config: digest }) => digest);
    expect(proved.toSorted()).toEqual(receipt.images.map((image) => image.config).toSorted());
    expect(worker).toMatchObject({ node: 'worker', state: 'failed', images: [] });
    const connect = receipt.stages.find(({ stage }) => stage === 'Connect');
    expect(connect?.steps.map(({ node, state }) => `${node} ${state}`).toSorted()).toEqual([
      'master done',
      'worker failed',
    ]);

    const page = readFileSync(join(folder, '.ciliumship', 'receipts', '0001.html'), 'utf8');
    for (const { digestName } of receipt.images) expect(page).toContain(digestName);
    expect(readFileSync(summary, 'utf8')).toMatch(/^## ciliumship push: the push failed\n/);
  });
});
