import { describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { changedConfig, labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';
import { quickestOf } from '../support/quickest.ts';

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();

describe.skipIf(missing !== undefined)('preflight', () => {
  it('finds nothing in the way of the lab', async () => {
    const ended = await ciliumship(['preflight'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toContain('veth');
  });

  it('looks at two nodes in three seconds at most', async () => {
    const { look, most } = await quickestOf('preflight', env);
    expect(look).toBeLessThan(most);
  });

  it('says of a node that it could not look at why, and calls it unknown; so does images prune', async () => {
    const ghost = '  ghost: { ssh: 127.0.0.2, role: agent }\n';
    const config = changedConfig((text) => text.replace(/^nodes:\n/m, `nodes:\n${ghost}`));
    const asGhost = ['--nodes', 'ghost', '--config', config] as const;
    const looked = await ciliumship(['preflight', '--config', config], { env });
    // Nobody listens there, or a sshd of this machine whose key is not known.
    expect([5, 6], looked.stderr).toContain(looked.code);
    expect(looked.stdout).toMatch(/^ghost +seen +unknown +an answer +ghost: /m);
    expect(looked.stdout).toMatch(/^worker +Debian/m);
    expect((await ciliumship(['preflight', ...asGhost], { env })).stdout).toContain(
      '0 ok, 1 unknown',
    );
    const pruned = await ciliumship(['images', 'prune', '--dry-run', ...asGhost], { env });
    expect([5, 6], pruned.stderr).toContain(pruned.code);
    expect(pruned.stdout).toMatch(/^ghost: unknown: ghost: /);
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
