import { describe, expect, it } from 'vitest';
import { KUBECONFIG } from '../../lab/cluster.ts';
import { PROFILE_LABEL } from '../../src/deploy/node-config.ts';
import { openCluster } from '../../src/system/kube/cluster.ts';
import { ciliumship } from '../support/cli.ts';
import { kubectl, labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart, until } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const CRD = ['crd', 'ciliumnodeconfigs.cilium.io'] as const;
const NAMESPACE = 'default';
const CONFIG = { name: 'of-a-test', profile: 'of-a-test', defaults: { devices: 'eth9' } };

interface Version {
  readonly name: string;
  readonly served: boolean;
  readonly storage: boolean;
}

async function serve(versions: readonly Version[]): Promise<void> {
  await kubectl('patch', ...CRD, '--type', 'merge', '-p', JSON.stringify({ spec: { versions } }));
}

describe.skipIf(missing !== undefined)('a cluster that serves only v2alpha1', () => {
  it('has its CiliumNodeConfigs written, read and removed in that version', async () => {
    const shipped = await ciliumship(['ship'], { env: labEnvironment() });
    expect(shipped.code, shipped.stderr).toBe(0);
    const { signal } = new AbortController();
    const cluster = openCluster({ files: [KUBECONFIG] }, undefined, PROFILE_LABEL, signal);
    const now = (version: string) =>
      until(version, 30, async () => (await cluster.nodeConfigVersion()) === version);
    const found = await kubectl('get', ...CRD, '-o', 'json');
    const { versions } = (JSON.parse(found) as { spec: { versions: Version[] } }).spec;
    const old = versions.map((each) => ({ ...each, name: 'v2alpha1', storage: false }));
    try {
      await serve([...versions.map((each) => ({ ...each, served: false })), ...old]);
      await now('v2alpha1');
      await until('it is served', 30, async () =>
        cluster.applyNodeConfig(NAMESPACE, 'v2alpha1', CONFIG).then(
          () => true,
          () => false,
        ),
      );
      const listed = await cluster.nodeConfigs(NAMESPACE, 'v2alpha1');
      expect(listed).toEqual([{ ...CONFIG, ours: true }]);
      await cluster.deleteNodeConfig(NAMESPACE, 'v2alpha1', CONFIG.name);
      expect(await cluster.nodeConfigs(NAMESPACE, 'v2alpha1')).toEqual([]);
    } finally {
      await serve(versions);
    }
    await now('v2');
    await until('v2 is served', 30, () =>
      cluster.nodeConfigs(NAMESPACE, 'v2').then((left) => left.length === 0),
    );
  });
});
