import { basename } from 'node:path';
import { readConfigFile, lineAt } from '../../config/load.ts';
import { CILIUM_IMAGES, type Config } from '../../config/normalise.ts';
import type { ConfigFile } from '../../config/schema.ts';
import { leaves, valueOf, isTree, type Path } from '../../deploy/tree.ts';
import type { Context } from '../command.ts';
import type { CommonFlags } from '../flags.ts';
import type { Sourced } from './sourced-yaml.ts';

/** Flags that win over a key of the config. */
const OVERRIDES = {
  maxRate: ['transfer', 'maxRate'],
  concurrency: ['transfer', 'concurrency'],
  timeout: ['deploy', 'timeout'],
  namespace: ['deploy', 'namespace'],
} as const satisfies Partial<Record<keyof CommonFlags, Path>>;

/**
 * Every key of the config as this run works with it, paths absolute, each with where it comes from: a
 * line of the file, a flag, a variable, or ciliumship itself.
 *
 * @throws ShipError `config` as `loadConfig`
 */
export async function settingsOf(context: Context): Promise<readonly Sourced[]> {
  const { config, flags, origins } = context;
  const { read, value } = await readConfigFile(config.file);
  const written = isTree(read.value) ? read.value : {};
  const given = new Map(
    Object.entries(OVERRIDES).flatMap(([flag, path]) => {
      const wanted = flags[flag as keyof typeof OVERRIDES];
      return wanted === undefined ? [] : [[path.join('.'), { flag, wanted }] as const];
    }),
  );
  const absent = [...given.keys()]
    .map((path) => path.split('.'))
    .filter((path) => valueOf(value, path) === undefined);
  const all = [
    ...leaves(filledIn(value, config)),
    ...absent.map((path) => ({ path, value: undefined })),
  ];
  return all.map(({ path, value: own }) => {
    const over = given.get(path.join('.'));
    if (over !== undefined) {
      return { path, value: over.wanted, source: origins?.get(over.flag) ?? 'flag' };
    }
    const isWritten = valueOf(written, path) !== undefined;
    const source = isWritten ? `${basename(config.file)}:${lineAt(read, path) ?? 1}` : 'default';
    return { path, value: own, source };
  });
}

/** What is not written, and follows from what is. */
function filledIn(value: ConfigFile, { source, nodes, deploy }: Config) {
  const images = CILIUM_IMAGES.map(({ key, repository, ...image }) => [
    key,
    { name: repository, ...image },
  ]);
  const own = nodes.map(({ name, devices }) => [name, { ...value.nodes[name], devices }]);
  return {
    ...value,
    source,
    nodes: Object.fromEntries(own),
    images: value.images ?? Object.fromEntries(images),
    deploy: {
      ...value.deploy,
      chart: deploy.chart,
      ...(deploy.values === undefined ? {} : { values: deploy.values }),
    },
  };
}

/** What else this run was told, by flags and variables: `--nodes` → value and origin. */
export function otherFlags({ flags, origins }: Context): readonly (readonly string[])[] {
  const keys: ReadonlySet<string> = new Set([...Object.keys(OVERRIDES), 'output']);
  return [...(origins ?? [])].flatMap(([flag, origin]) => {
    const value: unknown = flags[flag as keyof CommonFlags];
    return keys.has(flag) ? [] : [[origin, String(value)]];
  });
}
