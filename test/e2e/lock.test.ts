import { beforeAll, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { apply, kubectl, labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';
import type { NodeResult } from '../support/ship-result.ts';

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();
const FOLDER = '/var/lib/rancher/k3s/ciliumship';
const HOLDER = { id: 'x1', machine: 'another', host: 'desk', pid: 1, user: 'bob' };

/** The worker as someone on another machine would have locked it. */
async function lockWorker(): Promise<void> {
  const script = 'mkdir -p "$1" && printf %s "$2" > "$1/lock"';
  await onNode(nodeNamed('worker'), 'sh', '-c', script, 'lock', FOLDER, JSON.stringify(HOLDER));
}

describe.skipIf(missing !== undefined)('a node that someone else ships to', () => {
  beforeAll(async () => {
    const ended = await ciliumship(['push'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });

  it('is refused by its holder’s name, and the other node is served', async () => {
    await lockWorker();
    const ended = await ciliumship(['push', '--no-build', '-o', 'json'], { env });
    expect(ended.code).toBe(11);
    expect(ended.stderr).toContain('bob@desk');
    const { nodes } = ended.json() as { readonly nodes: readonly NodeResult[] };
    expect(nodes.find(({ node }) => node === 'master')?.state).toBe('nothing to do');
  });

  it('is taken over after its lock stood still for 30 s of waiting', async () => {
    await lockWorker();
    const ended = await ciliumship(['push', '--no-build', '--lock-wait', '60s'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('took over the lock of bob@desk');
  });

  it('is named by lock status, and freed by lock release when somebody insists', async () => {
    await lockWorker();
    const shown = await ciliumship(['lock', 'status'], { env });
    expect(shown.code, shown.stderr).toBe(0);
    expect(shown.stdout).toMatch(/worker\s+bob@desk \(process 1\)/);
    expect(shown.stdout).toMatch(/release cilium\s+nobody/);
    const freed = await ciliumship(['lock', 'release', '--nodes', 'worker', '--live'], { env });
    expect(freed.code, freed.stderr).toBe(0);
    expect(freed.stdout).toMatch(/worker\s+freed from bob@desk/);
    const again = await ciliumship(['push', '--no-build', '-o', 'json'], { env });
    expect(again.code, again.stderr).toBe(0);
  });

  it('F30, D19: is left unlocked by two runs at once, of which at most one is refused', async () => {
    const runs = [1, 2].map(() =>
      ciliumship(['push', '--no-build', '--lock-wait', '60s'], { env }),
    );
    const codes = (await Promise.all(runs)).map(({ code }) => code);
    expect(codes).toEqual([0, 0]);
    await expect(onNode(nodeNamed('worker'), 'ls', `${FOLDER}/lock`)).rejects.toThrow(
      'No such file',
    );
  });
});

const LEASE = { namespace: 'kube-system', name: 'ciliumship-cilium' };
const tooLong = onlyInAll('a lease is watched for 30 s before it is taken over');

/** The release as someone on another machine would be rolling it out. */
async function leaseRelease(): Promise<void> {
  const spec = { holderIdentity: JSON.stringify(HOLDER), leaseDurationSeconds: 30 };
  await apply({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: LEASE, spec });
}

describe.skipIf(missing !== undefined)('a release that someone else rolls out', () => {
  const held = (): Promise<string> =>
    kubectl('-n', LEASE.namespace, 'get', 'lease', LEASE.name, '--ignore-not-found', '-o', 'name');

  it('F44, D19: is refused by its holder’s name, and freed by lock release when somebody insists', async () => {
    await leaseRelease();
    const ended = await ciliumship(['deploy'], { env });
    expect(ended.code, ended.stderr).toBe(11);
    expect(ended.stderr).toContain('bob@desk');
    const freed = await ciliumship(['lock', 'release', '--live'], { env });
    expect(freed.code, freed.stderr).toBe(0);
    expect(freed.stdout).toMatch(/release cilium\s+freed from bob@desk/);
    expect(await held()).toBe('');
  });

  it.skipIf(tooLong !== undefined)(
    'D19: is taken over after its lease stood still for 30 s of waiting, and given back',
    async () => {
      const shipped = await ciliumship(['ship'], { env });
      expect(shipped.code, shipped.stderr).toBe(0);
      await leaseRelease();
      const ended = await ciliumship(['deploy', '--lock-wait', '60s'], { env });
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr).toContain('bob@desk');
      expect(await held()).toBe('');
    },
  );
});
