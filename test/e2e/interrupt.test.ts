import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { labEnvironment, nodeNamed, NODES, onNode, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';
import type { NodeResult } from '../support/ship-result.ts';
import { changeBanner, resetTree } from '../support/tree.ts';

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();
const CHECK = ['k3s', 'ctr', '-n', 'k8s.io', 'images', 'check'];
/** An import that goes on would name what it imports when the node is somebody else's. */
const AT_WORK = "pgrep -fa '[c]tr .*images import -' || true";

/** What every node has under Cilium's names. */
function images(): Promise<readonly string[]> {
  return Promise.all(NODES.map((node) => onNode(nodeNamed(node.name), ...CHECK)));
}

describe.skipIf(missing !== undefined)('a push that is interrupted', () => {
  let count = 0;

  beforeAll(async () => {
    expect((await ciliumship(['push'], { env })).code).toBe(0);
  });
  beforeEach(async () => {
    count += 1;
    changeBanner(`interrupted ${count}`);
    expect((await ciliumship(['build'], { env })).code).toBe(0);
  });
  afterAll(resetTree);

  it.each([
    ['SIGINT', 'Send: send', 130],
    ['SIGINT', 'Import: import', 130],
    ['SIGTERM', 'Import: import', 143],
  ] as const)(
    'by %s at "%s" ends with its own code, leaves whole images, and goes on when run again',
    async (signal, text, code) => {
      const before = await images();
      const cut = await ciliumship(['push', '--no-build'], { env, signalAt: { text, signal } });
      expect(cut.code, cut.stderr).toBe(code);
      expect(cut.stderr).toContain('next: run the same command');
      for (const { name } of NODES) {
        const imports = await onNode(nodeNamed(name), 'sh', '-c', AT_WORK);
        expect(imports, `still at work on ${name}`).toBe('');
      }
      for (const [index, list] of (await images()).entries()) {
        expect(list).not.toContain('ciliumship.local/staging');
        const names = before[index]
          ?.split('\n')
          .filter((line) => line.includes('-vxlan') || line.includes('vxlan-xdp-dev-'));
        // Every name that was whole before is still there and whole.
        for (const line of names ?? []) expect(list).toContain(line.trim().split(/\s+/)[0]);
        expect(
          list
            .split('\n')
            .filter((line) => line.includes('quay.io/cilium') && !line.includes('complete')),
        ).toEqual([]);
      }
      const healed = await ciliumship(['push', '--no-build', '-o', 'json'], { env });
      expect(healed.code, healed.stderr).toBe(0);
      const { nodes } = healed.json() as { readonly nodes: readonly NodeResult[] };
      expect(nodes.flatMap(({ images: proved }) => proved)).toHaveLength(12);
      for (const node of NODES) {
        const left = await onNode(
          nodeNamed(node.name),
          'sh',
          '-c',
          'ls -A /var/lib/rancher/k3s/ciliumship || true',
        );
        expect(left).toBe('');
      }
    },
  );

  it('F7: by SIGINT in the middle of a build ends with 130 and the cancelled build', async () => {
    changeBanner('interrupted while it is built');
    const signalAt = { text: 'Build: build cilium', signal: 'SIGINT' } as const;
    const cut = await ciliumship(['build'], { env, signalAt });
    expect(cut.code, cut.stderr).toBe(130);
    expect((await ciliumship(['build'], { env })).code).toBe(0);
  });
});
