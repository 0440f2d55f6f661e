import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ShipError } from '../../core/errors.ts';
import { checkValues, pathsRead, type ChartKeys } from '../../deploy/check-values.ts';
import { lineOf, parseUserValues } from '../../deploy/user-values.ts';
import type { Values } from '../../deploy/values.ts';
import type { Context } from '../command.ts';

/** The values file of flag or config. */
export function valuesFile({
  config,
  flags,
}: Context<{ readonly values?: string }>): string | undefined {
  return flags.values ?? config.deploy.values;
}

/**
 * Reads the user's values and checks them against the chart that will be installed.
 *
 * @param file undefined without one
 * @param chart folder of the chart
 * @throws ShipError `config` with every problem and its line
 */
export async function readCheckedValues(file: string | undefined, chart: string): Promise<Values> {
  await requireChart(chart);
  if (file === undefined) return {};
  const text = await readValues(file);
  const values = parseUserValues(text, file);
  const problems = checkValues(values, await readChart(chart));
  if (problems.length === 0) return values;
  throw new ShipError('config', `${file} has values that would not do what they say`, {
    details: problems.map(
      ({ path, message }) => `line ${lineOf(text, path) ?? '?'}: ${path}: ${message}`,
    ),
    hint: 'mend them, then run the same command again',
  });
}

async function requireChart(chart: string): Promise<void> {
  const found = await stat(join(chart, 'Chart.yaml')).catch(() => undefined);
  if (found?.isFile() === true) return;
  throw new ShipError('config', `deploy.chart: ${chart} is not a Helm chart: no Chart.yaml`, {
    hint: 'set deploy.chart in ciliumship.yaml to the folder of the chart',
  });
}

async function readChart(chart: string): Promise<ChartKeys> {
  const file = join(chart, 'values.yaml');
  const text = await readFile(file, 'utf8').catch(() => '');
  const folder = join(chart, 'templates');
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const templates = names.filter((name) => /\.(ya?ml|tpl|txt)$/.test(name));
  const texts = await Promise.all(templates.map((name) => readFile(join(folder, name), 'utf8')));
  return { defaults: parseUserValues(text, file), read: pathsRead(texts) };
}

async function readValues(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ShipError('config', `cannot read the values file ${file}`, {
      cause,
      hint: 'name one: --values FILE, or deploy.values, which counts from the folder of ciliumship.yaml',
    });
  });
}
