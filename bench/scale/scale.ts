import { rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { sh } from '../../lab/shell.ts';
import { Cleanup } from '../../src/core/cleanup.ts';
import { CLI } from '../contenders.ts';
import { workFolder } from '../folders.ts';
import { startEndpoints, type Endpoints } from './endpoints.ts';
import { importImage } from './import-image.ts';
import { measureAlone } from './measure-alone.ts';
import type { ScaleResults, ScaleRow, ScaleScenario } from './row.ts';

export const COUNTS: readonly number[] = [1, 10, 25, 50, 100];
const IMAGE = 'scale.local/app:1';
const LAYER_MB = 20;
const LARGE_MB = 2_000;

/**
 * Ships one image to more and more nodes, and then one of 2 GB to one node.
 *
 * @throws Error with what ciliumship printed when a push fails
 */
export async function runScale(
  counts: readonly number[],
  say: (line: string) => void,
): Promise<ScaleResults> {
  await using undo = new Cleanup();
  await sh('npm', ['run', '--silent', 'build']);
  const endpoints = await startEndpoints(Math.max(...counts));
  undo.defer(() => endpoints.stop());
  undo.defer(async () => void (await execa('docker', ['rmi', '-f', IMAGE], { reject: false })));
  const rows: ScaleRow[] = [];
  await importImage(IMAGE, LAYER_MB);
  for (const nodes of counts) rows.push(...(await shipTwice(endpoints, nodes, LAYER_MB, say)));
  await importImage(IMAGE, LARGE_MB);
  rows.push(...(await shipTwice(endpoints, 1, LARGE_MB, say)));
  const [processor] = cpus();
  return {
    rows,
    machine: `${cpus().length} × ${processor?.model ?? 'processor'}`,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** Cold, and then once more when there is nothing to do. */
async function shipTwice(
  endpoints: Endpoints,
  nodes: number,
  layerMB: number,
  say: (line: string) => void,
): Promise<readonly ScaleRow[]> {
  await endpoints.empty();
  const home = workFolder('scale');
  rmSync(home, { recursive: true });
  const config = join(workFolder('scale'), 'ciliumship.yaml');
  writeFileSync(config, configOf(nodes));
  const env = {
    CILIUMSHIP_SSH_CONFIG: endpoints.sshConfig,
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_STATE_HOME: join(home, 'state'),
  };
  const argv = [CLI, 'push', '--no-build', '--config', config];
  const rows: ScaleRow[] = [];
  for (const scenario of ['cold', 'noop'] satisfies ScaleScenario[]) {
    const row = { scenario, nodes, layerMB, ...(await measureAlone(argv, env)) };
    say(`${scenario}, ${nodes} nodes, ${layerMB} MB: ${row.seconds} s, ${row.rssMB} MB`);
    rows.push(row);
  }
  return rows;
}

function configOf(count: number): string {
  const nodes = Array.from({ length: count }, (_, index) => {
    const role = index === 0 ? 'server' : 'agent';
    const network = `dataInterface: eth0, dataAddress: 10.99.0.${index + 1}/24`;
    return `  n${index + 1}: { ssh: n${index + 1}, role: ${role}, profile: p, ${network} }`;
  });
  return `version: 1
source: .
tag: dev
nodes:
${nodes.join('\n')}
images: {}
extraImages: [${IMAGE}]
`;
}
