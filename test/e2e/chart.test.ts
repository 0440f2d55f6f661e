import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { TREE } from '../../lab/files.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { changedValues } from '../support/agents.ts';
import { removeExtraImages } from '../support/extra-image.ts';
import { HELM3, helms } from '../support/helms.ts';
import { changedConfig, kubectl, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';
import { chartArtifact, serveRegistry, serveRepository } from '../support/registry.ts';

const missing = await missingPart('the lab', requireLab);
const VERSION = '1.19.0-dev';

/** An image below this host that stands for the backend of the chart's UI. */
const HOST = 'extra-auto.test';
const BACKEND = `${HOST}/backend:own`;

/** Makes it in Docker, where nobody has it yet. @returns the config digest */
async function makeBackend(): Promise<string> {
  const input = `FROM quay.io/cilium/hubble-ui-backend:lab\nLABEL made=${Date.now()}\n`;
  await execa('docker', ['build', '--quiet', '--tag', BACKEND, '-'], { input });
  const seen = await execa('docker', ['image', 'inspect', '--format', '{{.Id}}', BACKEND]);
  return seen.stdout;
}

/** The lab's values with it, told by a digest as published charts tell theirs. */
function valuesWithBackend(): string {
  const digest = `sha256:${'0'.repeat(64)}`;
  const image = `{ repository: ${HOST}/backend, tag: own, digest: '${digest}', useDigest: true }`;
  return changedValues((text) => text.replace('  ui:', `  ui:\n    backend: { image: ${image} }`));
}

function expectNothingToDo(ended: Ended): void {
  expect(ended.code, ended.stderr).toBe(0);
  expect(ended.stderr).toContain(`${VERSION}\n`);
  expect(ended.json()).toMatchObject({ state: 'nothing to do' });
}

describe.skipIf(missing !== undefined).each(helms())('a chart that is fetched by $name', (helm) => {
  let folder: string;

  const configured = (config: string): NodeJS.ProcessEnv => ({
    ...helm.env,
    CILIUMSHIP_CONFIG: config,
  });

  /** Deploys with a config that has these lines about the chart. */
  const deployWith = (...lines: readonly string[]): Promise<Ended> => {
    const text = `deploy:\n  ${lines.join('\n  ')}`;
    const config = changedConfig((own) => own.replace('deploy:', text));
    return ciliumship(['deploy', '-o', 'json'], { env: configured(config) });
  };

  // What is fetched is compared with what Helm 3 deployed from a folder.
  beforeAll(async () => {
    await HELM3.begin();
    folder = mkdtempSync(join(tmpdir(), 'ciliumship-repository-'));
    await execa(helm.program, ['package', join(TREE, 'install/kubernetes/cilium'), '-d', folder]);
    await execa(helm.program, ['repo', 'index', folder]);
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

  it('K1: extraImages: auto ships what a chart from a registry runs besides, by its tag, and its pods run it', async () => {
    const backend = await makeBackend();
    const chart = join(folder, `cilium-${VERSION}.tgz`);
    await using server = await serveRegistry(chartArtifact(chart, 'cilium', VERSION));
    await using undo = new AsyncDisposableStack();
    undo.defer(() => removeExtraImages(HOST));
    undo.defer(async () => {
      const ended = await ciliumship(['deploy'], { env: helm.env });
      expect(ended.code, ended.stderr).toBe(0);
    });
    const from = `chart: oci://${server.address}/cilium\n  chartVersion: ${VERSION}`;
    const config = changedConfig((own) =>
      own
        .replace(/^extraImages:\n(  - .*\n)+/m, 'extraImages: auto\n')
        .replace('deploy:', `deploy:\n  ${from}`),
    );
    const env = configured(config);
    const early = await ciliumship(['deploy', '--values', valuesWithBackend()], { env });
    expect(early.code, early.stderr).toBe(8);
    expect(early.stderr).toContain(`worker: ${BACKEND}: the node does not have it`);
    const shipped = await ciliumship(['ship', '--values', valuesWithBackend()], { env });
    expect(shipped.code, shipped.stderr).toBe(0);
    expect(shipped.stdout).toMatch(/^backend:own .* 2\/2 +1\/1$/m);
    const pod = await kubectl(
      ...['-n', 'kube-system', 'get', 'pods', '-l', 'k8s-app=hubble-ui', '-o'],
      'jsonpath={.items[*].status.containerStatuses[?(@.name=="backend")].imageID}',
    );
    expect(pod).toContain(backend);
  });
});
