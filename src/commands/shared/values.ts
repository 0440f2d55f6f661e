import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ShipError } from '../../core/errors.ts';
import {
  checkValues,
  pathsRead,
  type ChartKeys,
  type Severity,
  type ValueProblem,
} from '../../deploy/check-values.ts';
import { parseUserValues, readUserValues, type LineOf } from '../../deploy/user-values.ts';
import { textAt, type Values } from '../../deploy/tree.ts';
import type { Context } from '../command.ts';
import { option } from '../flags.ts';
import { readValuesText } from './user-text.ts';

/** Of each severity; nobody reads more, and each is looked up in the file. */
const MAX_SHOWN = 50;

export interface ValuesFlags {
  readonly values?: string;
  readonly allow?: string;
}

/** Options of every command that works with Helm values. */
export const valuesOptions = [
  option('--values <file>', 'Helm values (default: deploy.values)'),
  option('--allow <keys>', 'values keys to go on with in spite of an error, comma-separated'),
];

/** The user's values, with the name and the lines that problems are shown with. */
export interface UserValues {
  /** Undefined without a file. */
  readonly file: string | undefined;
  readonly lineOf: LineOf;
  readonly values: Values;
  readonly chart: ChartKeys;
}

/** The values file of flag or config. */
export function valuesFile({ config, flags }: Context<ValuesFlags>): string | undefined {
  return flags.values ?? config.deploy.values;
}

/**
 * Reads the user's values and what the chart that will be installed knows.
 *
 * @throws ShipError `config` when file or chart cannot be read
 */
export async function readValues(context: Context<ValuesFlags>): Promise<UserValues> {
  const { chart: folder } = context.config.deploy;
  await requireChart(folder, context.config.source);
  const chart = await readChart(folder);
  const file = valuesFile(context);
  if (file === undefined) return { file, lineOf: () => undefined, values: {}, chart };
  return { file, ...readUserValues(await readValuesText(file), file), chart };
}

/**
 * Refuses values that are written wrong, before anything else is looked at: whoever has to mend the
 * file need not build or ship first to learn of it. What fits the machines or not comes later.
 *
 * @throws ShipError `config` as `readValues` and `requireGoodValues`
 */
export async function requireWellWritten(context: Context<ValuesFlags>): Promise<void> {
  const user = await readValues(context);
  // The rest is said once, with what the machines say to it.
  requireNoErrors(context, user, checkValues(user.values, user.chart));
}

function allowedKeys({ flags }: Context<ValuesFlags>): ReadonlySet<string> {
  return new Set((flags.allow ?? '').split(','));
}

/**
 * Shows what does not do what it says, and refuses when some of it is an error that `--allow` does
 * not name.
 *
 * @throws ShipError `config` with every such problem and its line
 */
export function requireGoodValues(
  context: Context<ValuesFlags>,
  user: UserValues,
  problems: readonly ValueProblem[],
): void {
  sayMilder(context, user, problems);
  requireNoErrors(context, user, problems);
}

/** Shows what is no error, or what `--allow` names. */
export function sayMilder(
  context: Context<ValuesFlags>,
  user: UserValues,
  problems: readonly ValueProblem[],
): void {
  for (const severity of ['note', 'warning'] as const) {
    for (const line of linesOf(severity, context, user, problems)) {
      context.output.note(`${severity}: values: ${line}`);
    }
  }
}

/** @throws ShipError as `requireGoodValues` */
export function requireNoErrors(
  context: Context<ValuesFlags>,
  user: UserValues,
  problems: readonly ValueProblem[],
): void {
  const details = linesOf('error', context, user, problems);
  if (details.length === 0) return;
  throw new ShipError(
    'config',
    `${user.file ?? 'the chart'} has values that would not do what they say`,
    {
      details,
      hint: 'mend them, then run the same command again (or go on in spite of one: --allow KEY)',
    },
  );
}

function linesOf(
  severity: Severity,
  context: Context<ValuesFlags>,
  { lineOf }: UserValues,
  problems: readonly ValueProblem[],
): readonly string[] {
  const allowed = allowedKeys(context);
  return problems
    .map((each) => (allowed.has(each.path) ? { ...each, severity: 'warning' as const } : each))
    .filter((each) => each.severity === severity)
    .slice(0, MAX_SHOWN)
    .map(({ path, message }) => `${place(lineOf(path))}${path}: ${message}`);
}

/** `line 12: `; nothing for what does not stand in the file. */
function place(line: number | undefined): string {
  return line === undefined ? '' : `line ${line}: `;
}

async function requireChart(chart: string, source: string): Promise<void> {
  const found = await stat(join(chart, 'Chart.yaml')).catch(() => undefined);
  if (found?.isFile() === true) return;
  await requireSource(source, chart);
  throw new ShipError('config', `deploy.chart: ${chart} is not a Helm chart: no Chart.yaml`, {
    hint: 'set deploy.chart in the config to the folder of the chart, or name its deploy.chartVersion',
  });
}

/** Where the whole tree is missing, its chart is the least of it. */
async function requireSource(source: string, chart: string): Promise<void> {
  if (!chart.startsWith(source)) return;
  const found = await stat(source).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new ShipError('config', `source: there is no folder ${source}`, {
    hint: 'set source in the config to the top folder of the patched Cilium tree',
  });
}

/** `appVersion` of a chart; undefined when it names none. */
export async function readChartVersion(chart: string): Promise<string | undefined> {
  const { appVersion, version } = await readChartYaml(chart);
  return appVersion || version || undefined;
}

/** Versions of a chart; empty where it names none. */
export async function readChartYaml(
  chart: string,
): Promise<{ readonly version: string; readonly appVersion: string }> {
  const file = join(chart, 'Chart.yaml');
  const meta = parseUserValues(await readFile(file, 'utf8'), file);
  return { version: textAt(meta, 'version'), appVersion: textAt(meta, 'appVersion') };
}

/** What a chart knows: its own values, the paths that its templates read, and its schema. */
export async function readChart(chart: string): Promise<ChartKeys> {
  const file = join(chart, 'values.yaml');
  const text = await readFile(file, 'utf8').catch(() => '');
  const folder = join(chart, 'templates');
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const templates = names.filter((name) => /\.(ya?ml|tpl|txt)$/.test(name));
  const texts = await Promise.all(templates.map((name) => readFile(join(folder, name), 'utf8')));
  const defaults = parseUserValues(text, file);
  return { defaults, read: pathsRead(texts), schema: await readSchema(chart) };
}

/** One that is no JSON is Helm's to complain about. */
async function readSchema(chart: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(chart, 'values.schema.json'), 'utf8')) as unknown;
  } catch {
    return undefined;
  }
}
