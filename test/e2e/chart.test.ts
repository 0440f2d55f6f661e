import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { TREE } from '../../lab/files.ts';
import { STATE } from '../../lab/settings.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { changedConfig, labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';
import { chartArtifact, serveRegistry, serveRepository } from '../support/registry.ts';

const missing = await missingPart('the lab', requireLab);
const VERSION = '1.19.0-dev';

/** Deploys with a config that has these lines about the chart. */
function deployWith(...lines: readonly string[]): Promise<Ended> {
  const text = `deploy:\n  ${lines.join('\n  ')}`;
  const config = changedConfig((own) => own.replace('deploy:', text));
  return ciliumship(['deploy', '-o', 'json'], { env: labEnvironment(config) });
}

function expectNothingToDo(ended: Ended): void {
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).toContain(`${VERSION}\n`);
  expect(ended.json()).toMatchObject({ state: 'nothing to do' });
}

describe.skipIf(missing !== undefined)('a chart that is fetched', () => {
  let folder: string;

  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env: labEnvironment() });
    expect(ended.code, ended.stderr).toBe(0);
    folder = mkdtempSync(join(tmpdir(), 'ciliumship-repository-'));
    const helm = join(STATE, 'bin', 'helm3');
    await execa(helm, ['package', join(TREE, 'install/kubernetes/cilium'), '-d', folder]);
    await execa(helm, ['repo', 'index', folder]);
  });

  it('from a repository is deployed as the same chart in a folder would be, and never another version', async () => {
    await using server = await serveRepository(folder);
    const repo = `chartRepo: http://${server.address}`;
    expectNothingToDo(await deployWith('chart: cilium', repo, `chartVersion: ${VERSION}`));
    const other = await deployWith('chart: cilium', repo, 'chartVersion: 1.18.0');
    expect(other.code, other.stderr).toBe(2);
    expect(other.stderr).toContain('helm cannot fetch chart cilium 1.18.0');
  });

  it('from a registry is, too', async () => {
    const chart = join(folder, `cilium-${VERSION}.tgz`);
    await using server = await serveRegistry(chartArtifact(chart, 'cilium', VERSION));
    const oci = `chart: oci://${server.address}/cilium`;
    expectNothingToDo(await deployWith(oci, `chartVersion: ${VERSION}`));
    const other = await deployWith(oci, 'chartVersion: 1.18.0');
    expect(other.code, other.stderr).toBe(2);
  });
});
