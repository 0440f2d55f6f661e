import { basename } from 'node:path';
import { sourcedValues, type SourcedValue } from '../deploy/value-sources.ts';
import { deriveValues, type PlacedImage } from '../deploy/values.ts';
import { ShipError } from '../core/errors.ts';
import type { CommandSpec, Context } from './command.ts';
import { localChart } from './shared/chart.ts';
import { shippedBlocks } from './shared/extra-images.ts';
import { connectFleet } from './shared/fleet.ts';
import { shippedImages } from './shared/shipped-images.ts';
import { sourcedYaml } from './shared/sourced-yaml.ts';
import { placedImages, unbuiltImages } from './shared/placed.ts';
import { readSurroundings, valueProblems } from './shared/values-checks.ts';
import { readValues, requireGoodValues, valuesOptions, type UserValues } from './shared/values.ts';

export const values: CommandSpec = {
  name: 'values',
  summary: 'print the values that Helm gets, and where each comes from',
  description:
    'Lays what ciliumship sets over your values file (the images by their digest tags, the restart on a changed configuration, the hold that keeps agents off nodes until it is their turn) and prints the result as YAML, each value with its source. The images are those that ciliumship.lock says were shipped, before that those that Docker has; of images that are not built yet the digest stays open. Then checks them all as deploy does: keys that the chart ignores, values that an agent refuses, and what does not fit the machines.',
  examples: [
    ['ciliumship values', 'the final values, with their sources'],
    ['ciliumship values --values other.yaml -o json', 'of another file, for a script'],
  ],
  options: valuesOptions,
  run: async (typed) => {
    await using chart = await localChart(typed);
    const { context } = chart;
    const user = await readValues(context);
    const placed = await placeShipped(context);
    const blocks = await shippedBlocks(context, user);
    const final = sourcedValues(user.values, deriveValues(placed, user.values, blocks));
    const sourced = final.map((each) => ({ ...each, source: sourceOf(each, user) }));
    context.output.result(
      sourcedYaml(sourced),
      sourced.map((each) => ({ ...each, path: each.path.join('.') })),
    );
    await using fleet = await connectFleet(context, context.config.nodes);
    const around = await readSurroundings(context, fleet, user);
    requireGoodValues(context, user, valueProblems(user, around));
  },
};

/** The images by their digest names; where some are not built yet, by names that say so. */
async function placeShipped(context: Context): Promise<readonly PlacedImage[]> {
  try {
    return placedImages(context.config, await shippedImages(context));
  } catch (error) {
    if (!(error instanceof ShipError) || error.kind !== 'build') throw error;
    context.output.note(`${error.message}: the digests in names of images are not known yet`);
    return unbuiltImages(context.config);
  }
}

/** `cilium-values.yaml:12` for the user's own. */
function sourceOf({ path, source }: SourcedValue, { file, lineOf }: UserValues): string {
  if (source !== 'file' || file === undefined) return source;
  const line = lineOf(path.join('.'));
  return line === undefined ? basename(file) : `${basename(file)}:${line}`;
}
