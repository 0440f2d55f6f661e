import { readdir } from 'node:fs/promises';
import { ShipError } from '../core/errors.ts';
import { lastLines } from '../core/text.ts';
import { runHelm } from './helm-process.ts';

/** Where a chart comes from and goes to. */
export interface ChartSource {
  /** Its name in the repository, or `oci://HOST/NAME`. */
  readonly chart: string;
  readonly repo: string | undefined;
  readonly version: string;
  /** An empty folder. */
  readonly into: string;
}

/**
 * Fetches and unpacks one version of a chart by Helm, with the credentials that Helm has.
 *
 * @returns name of its folder inside of `into`
 * @throws ShipError `config` when Helm refuses; `network` when it does not end
 */
export async function pullChart(source: ChartSource, signal: AbortSignal): Promise<string> {
  const { chart, repo, version, into } = source;
  const where = repo === undefined ? [] : ['--repo', repo];
  const args = ['pull', chart, ...where, '--version', version, '--untar', '--untardir', into];
  const pulled = await runHelm(args, { signal, silent: 'the repository of the chart' });
  const made = await readdir(into, { withFileTypes: true });
  const folder = made.find((entry) => entry.isDirectory());
  if (pulled.code === 0 && folder !== undefined) return folder.name;
  throw new ShipError('config', `helm cannot fetch chart ${chart} ${version}`, {
    details: lastLines(pulled.stderr, 5),
    hint: 'look at deploy.chart, deploy.chartRepo and deploy.chartVersion in the config',
  });
}
