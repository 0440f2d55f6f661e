import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { CILIUM_IMAGES } from '../../config/normalise.ts';
import { ShipError } from '../../core/errors.ts';
import { workloadsOf } from '../../deploy/manifest.ts';
import { blocksOf, imageBlocks } from '../../deploy/chart-images.ts';
import { extraImages, withoutDigests } from '../../init/extra-images.ts';
import type { Proposal } from '../../init/propose.ts';
import { valuesText } from '../../init/values-text.ts';
import { renderChart } from '../../system/helm.ts';
import { readPackageFile } from '../../system/package-files.ts';
import type { BareContext } from '../command.ts';
import { openDocker } from './docker.ts';
import { readChart } from './values.ts';

const RELEASE = { name: 'cilium', namespace: 'kube-system' };

/** What the chart of a tree gets, and what it runs. */
export interface ChartParts {
  readonly values: string;
  /** Names of the images that it runs beside the built ones. */
  readonly extraImages: readonly string[];
}

/**
 * Fits the example's values to machines and chart, and asks the chart which other images it runs.
 * Where Helm is missing that question stays open, and a note says so.
 */
export async function fitChart(
  context: BareContext,
  chart: string,
  proposal: Proposal,
  tag: string,
): Promise<ChartParts> {
  const { defaults } = await readChart(chart);
  const example = await readPackageFile('values/cilium-values.yaml');
  const values = valuesText(example, { proposal, tag, chartKeys: Object.keys(defaults) });
  const rendered = await render(context, chart, values);
  const images = workloadsOf(rendered).flatMap((workload) => workload.images);
  const extra = extraImages(
    images.map(({ image }) => image),
    CILIUM_IMAGES.map(({ repository }) => repository),
  );
  const byDigest = extra.filter((image) => image.byDigest).map(({ name }) => name);
  const blocks = blocksOf(imageBlocks(defaults), byDigest);
  return {
    values: withoutDigests(values, blocks),
    extraImages: extra.map(({ name }) => name),
  };
}

async function render(context: BareContext, chart: string, values: string): Promise<string> {
  try {
    return await renderChart(chart, values, RELEASE, context.signal);
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof ShipError)) throw error;
    const lines = [error.message, ...error.details].join('; ');
    context.output.note(`warning: the images that the chart runs are not known: ${lines}`);
    return '';
  }
}

/** Those of some images that Docker lacks; all of them when it does not answer. */
export async function lackingImages(
  context: BareContext,
  names: readonly string[],
): Promise<readonly string[]> {
  const docker = await openDocker(context).catch(() => undefined);
  context.signal.throwIfAborted();
  const found = await Promise.all(
    names.map(async (name) => [name, await docker?.inspect(name, context.signal)] as const),
  );
  return found.flatMap(([name, seen]) => (seen === undefined ? [name] : []));
}

/** Path of the JSON Schema from a config, where ciliumship is installed beside it. */
export function schemaBeside(config: string): string | undefined {
  const schema = join(dirname(config), 'node_modules/ciliumship/schema/ciliumship.schema.json');
  return existsSync(schema) ? relative(dirname(config), schema) : undefined;
}
