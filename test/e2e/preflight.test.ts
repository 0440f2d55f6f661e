import { describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();

describe.skipIf(missing !== undefined)('preflight', () => {
  it('finds nothing in the way of the lab, in a few seconds', async () => {
    const started = performance.now();
    const ended = await ciliumship(['preflight'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toContain('veth');
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it('finds a mount over the bpffs of a node, and nothing once it is gone', async () => {
    const worker = nodeNamed('worker');
    await onNode(worker, 'mount', '-t', 'bpf', 'bpf', '/sys/fs/bpf');
    try {
      const ended = await ciliumship(['preflight', '-o', 'json'], { env });
      expect(ended.code).toBe(3);
      expect(ended.stderr).toContain('umount /sys/fs/bpf');
    } finally {
      await onNode(worker, 'umount', '/sys/fs/bpf');
    }
    const again = await ciliumship(['preflight'], { env });
    expect(again.code, again.stderr).toBe(0);
  });
});
