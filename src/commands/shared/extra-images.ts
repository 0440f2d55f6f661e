import { stringify } from 'yaml';
import type { Config } from '../../config/normalise.ts';
import { toShipError } from '../../core/errors.ts';
import { blocksOf, imageBlocks, otherImages } from '../../deploy/chart-images.ts';
import { workloadsOf } from '../../deploy/manifest.ts';
import { deriveValues, merge } from '../../deploy/values.ts';
import { renderChart } from '../../system/helm.ts';
import type { Context } from '../command.ts';
import { localChart } from './chart.ts';
import { releaseOf } from './cluster.ts';
import { readValues, type UserValues } from './values.ts';

/** A chart is rendered once in a run, whoever asks. */
const known = new WeakMap<Config, Promise<readonly string[]>>();

/**
 * Names of the images that are shipped as they are: those of the config, and with `auto` whatever
 * the chart runs with the user's values beside the built images.
 *
 * @throws ShipError `config` when chart or values cannot be read or rendered; `usage` without Helm
 */
export async function extraImagesOf(context: Context): Promise<readonly string[]> {
  const { config } = context;
  if (config.extraImages !== 'auto') return config.extraImages;
  const asked = known.get(config) ?? renderedBy(context);
  known.set(config, asked);
  return asked;
}

/** The same for commands that only look: what cannot be known is said and left out. */
export async function knownExtraImages(context: Context): Promise<readonly string[]> {
  return extraImagesOf(context).catch((error: unknown) => {
    context.signal.throwIfAborted();
    const { message } = toShipError(error);
    context.output.note(`warning: extraImages: auto: what the chart runs is not known: ${message}`);
    return [];
  });
}

async function renderedBy(asked: Context): Promise<readonly string[]> {
  await using chart = await localChart(asked);
  const { context } = chart;
  const { config, signal } = context;
  const user = await readValues(context);
  // As deploy does it: where the chart would take its own, it runs what was built.
  const placed = config.images.flatMap(({ value, repository }) =>
    value === undefined ? [] : [{ value, digestName: `${repository}:${config.tag}` }],
  );
  const text = stringify(merge(user.values, deriveValues(placed, user.values)));
  const rendered = await renderChart(config.deploy.chart, text, releaseOf(context), signal);
  const built = config.images.map(({ repository }) => repository);
  return otherImages(workloadsOf(rendered), built);
}

/**
 * Values paths of the image blocks that `auto` ships for: they are told by tag alone, and never
 * pulled. None for images that the config names, whose values are the user's own.
 *
 * @throws as `extraImagesOf`
 */
export async function shippedBlocks(
  context: Context,
  { chart, values }: Pick<UserValues, 'chart' | 'values'>,
): Promise<readonly string[]> {
  if (context.config.extraImages !== 'auto') return [];
  const blocks = imageBlocks(merge(chart.defaults, values));
  return blocksOf(blocks, await extraImagesOf(context));
}
