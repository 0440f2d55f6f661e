import { readdir } from 'node:fs/promises';
import { ShipError } from '../core/errors.ts';
import { lastLines } from '../core/text.ts';
import { runProcess } from './process.ts';

/** Where a chart comes from and goes to. */
export interface ChartSource {
  /** Its name in the repository, or `oci://HOST/NAME`. */
  readonly chart: string;
  readonly repo: string | undefined;
  readonly version: string;
  /** An empty folder. */
  readonly into: string;
}

const TIMEOUT = 120_000;
const ANY = Array.from({ length: 255 }, (_, index) => index + 1);

/**
 * Fetches and unpacks one version of a chart by Helm, with the credentials that Helm has.
 *
 * @returns name of its folder inside of `into`
 * @throws ShipError `config` when Helm refuses; `network` when it does not end
 */
export async function pullChart(source: ChartSource, signal: AbortSignal): Promise<string> {
  const { chart, repo, version, into } = source;
  const where = repo === undefined ? [] : ['--repo', repo];
  const late = (): ShipError =>
    new ShipError('network', `helm pull ${chart} did not finish in ${TIMEOUT / 1000} s`, {
      retryable: true,
      hint: 'see whether the repository of the chart answers, then run the same command again',
    });
  const pulled = await runProcess(
    ['helm', 'pull', chart, ...where, '--version', version, '--untar', '--untardir', into],
    { signal, timeout: TIMEOUT, accept: ANY, late },
  );
  const made = await readdir(into, { withFileTypes: true });
  const folder = made.find((entry) => entry.isDirectory());
  if (pulled.code === 0 && folder !== undefined) return folder.name;
  throw new ShipError('config', `helm cannot fetch chart ${chart} ${version}`, {
    details: lastLines(pulled.stderr, 5),
    hint: 'look at deploy.chart, deploy.chartRepo and deploy.chartVersion in ciliumship.yaml',
  });
}
