import { basename } from 'node:path';
import { Document, isPair, isScalar, visit } from 'yaml';
import { lineOf } from '../deploy/user-values.ts';
import { sourcedValues, type SourcedValue } from '../deploy/value-sources.ts';
import { deriveValues } from '../deploy/values.ts';
import type { CommandSpec } from './command.ts';
import { localChart } from './shared/chart.ts';
import { openDocker } from './shared/docker.ts';
import { connectFleet } from './shared/fleet.ts';
import { exportImages, findBuilt } from './shared/images.ts';
import { openBlobStore } from './shared/store.ts';
import { placedImages } from './shared/placed.ts';
import { valueProblems } from './shared/values-checks.ts';
import { readValues, requireGoodValues, valuesOptions, type UserValues } from './shared/values.ts';

export const values: CommandSpec = {
  name: 'values',
  summary: 'print the values that Helm gets, and where each comes from',
  description:
    'Lays what ciliumship sets over your values file (the images by their digest tags, the restart on a changed configuration, the hold that keeps agents off nodes until it is their turn) and prints the result as YAML, each value with its source. Then checks them all as deploy does: keys that the chart ignores, values that an agent refuses, and what does not fit the machines.',
  examples: [
    ['ciliumship values', 'the final values, with their sources'],
    ['ciliumship values --values other.yaml -o json', 'of another file, for a script'],
  ],
  options: valuesOptions,
  run: async (typed) => {
    await using chart = await localChart(typed);
    const { context } = chart;
    const user = await readValues(context);
    const docker = await openDocker(context);
    await using store = await openBlobStore(context);
    const built = await findBuilt(context, docker);
    const images = await exportImages(context, docker, built, store);
    const placed = placedImages(context.config, images);
    const final = sourcedValues(user.values, deriveValues(placed, user.values));
    context.output.result(
      yamlOf(final, user),
      final.map((each) => ({ ...each, path: each.path.join('.'), source: sourceOf(each, user) })),
    );
    await using fleet = await connectFleet(context, context.config.nodes);
    requireGoodValues(context, user, await valueProblems(context, fleet, user));
  },
};

/** The values as YAML that Helm would take, each with a comment that says where it comes from. */
function yamlOf(final: readonly SourcedValue[], user: UserValues): string {
  const document = new Document({});
  for (const each of final) document.setIn(each.path, document.createNode(each.value));
  const sources = new Map(final.map((each) => [each.path.join('.'), sourceOf(each, user)]));
  visit(document, {
    Pair: (_, pair, above) => {
      const path = [...above.filter(isPair), pair].map(({ key }) => keyText(key)).join('.');
      const source = sources.get(path);
      if (source === undefined) return undefined;
      if (isScalar(pair.value)) pair.value.comment = ` ${source}`;
      else if (isScalar(pair.key)) pair.key.comment = ` ${source}`;
      return visit.SKIP;
    },
  });
  return document.toString({ lineWidth: 0 }).trimEnd();
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

/** `cilium-values.yaml:12` for the user's own. */
function sourceOf({ path, source }: SourcedValue, { file, text }: UserValues): string {
  if (source !== 'file' || file === undefined) return source;
  const line = lineOf(text, path.join('.'));
  return line === undefined ? basename(file) : `${basename(file)}:${line}`;
}
