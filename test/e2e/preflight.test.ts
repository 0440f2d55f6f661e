import { describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();

describe.skipIf(missing !== undefined)('preflight', () => {
  it('finds nothing in the way of the lab', async () => {
    const ended = await ciliumship(['preflight'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toContain('veth');
  });

  it('looks at two nodes in three seconds at most', async () => {
    const [start, look] = [await quickest('explain'), await quickest('preflight')];
    process.stderr.write(
      `preflight: ${Math.round(look)} ms, of which starting ${Math.round(start)}\n`,
    );
    // Where something else keeps the processors busy, starting alone takes longer too.
    expect(look).toBeLessThan(Math.max(3_000, 6 * start));
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

/** Milliseconds of the quickest of three. */
async function quickest(command: string): Promise<number> {
  const taken: number[] = [];
  for (let count = 0; count < 3; count += 1) {
    const started = performance.now();
    const ended = await ciliumship([command], { env });
    expect(ended.code, ended.stderr).toBe(0);
    taken.push(performance.now() - started);
  }
  return Math.min(...taken);
}
