import { existsSync, readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { KubeConfig, type RequestContext } from '@kubernetes/client-node';
import { ShipError } from '../../core/errors.ts';

/** The text of a kubeconfig, or files that are merged as kubectl merges those of KUBECONFIG. */
export type Kubeconfig = { readonly text: string } | { readonly files: readonly string[] };

/** When a call to the API ends at the latest. */
export interface CallBounds {
  readonly signal: AbortSignal;
  /** Milliseconds for each call. */
  readonly deadline: number;
}

/** A kubeconfig whose calls close their connection when they end early: one left open would keep
 * the process alive long after the error was printed. */
export class BoundedConfig extends KubeConfig {
  readonly bounds: CallBounds;

  constructor(bounds: CallBounds) {
    super();
    this.bounds = bounds;
  }

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context);
    context.setSignal(this.#end());
  }

  override async applyToHTTPSOptions(options: RequestOptions): Promise<void> {
    await super.applyToHTTPSOptions(options);
    options.signal = this.#end();
  }

  #end(): AbortSignal {
    return AbortSignal.any([this.bounds.signal, AbortSignal.timeout(this.bounds.deadline)]);
  }
}

/** @throws ShipError `config` when it cannot be read, or leads to no cluster */
export function loadKubeconfig(
  source: Kubeconfig,
  context: string | undefined,
  bounds: CallBounds,
): BoundedConfig {
  const config = new BoundedConfig(bounds);
  if ('text' in source) reading('of the server node', () => config.loadFromString(source.text));
  else mergeFiles(config, source.files);
  if (context !== undefined) config.setCurrentContext(context);
  if (config.getCurrentCluster() !== null) return config;
  const wanted = context ?? config.currentContext;
  const names = config.contexts.map(({ name }) => name);
  throw new ShipError(
    'config',
    wanted
      ? `the kubeconfig has no cluster for context ${wanted}`
      : 'the kubeconfig has no context',
    { hint: `choose one of: ${names.join(', ') || '(none)'}, after the command: --context NAME` },
  );
}

/** As kubectl: a file that is missing or empty is passed over, and of equal names the first wins. */
function mergeFiles(config: KubeConfig, files: readonly string[]): void {
  const there = files.filter((file) => existsSync(file) && !isEmpty(file));
  if (there.length === 0) {
    throw new ShipError('config', `there is no kubeconfig at ${files.join(' or ')}`, {
      hint: 'name one after the command: --kubeconfig FILE; without it: unset KUBECONFIG, and it is fetched from the server node',
    });
  }
  config.loadFromOptions({ clusters: [], users: [], contexts: [], currentContext: '' });
  for (const file of there) {
    const more = new KubeConfig();
    reading(file, () => more.loadFromFile(file));
    config.clusters = withNew(config.clusters, more.clusters);
    config.users = withNew(config.users, more.users);
    config.contexts = withNew(config.contexts, more.contexts);
    config.currentContext ||= more.currentContext;
  }
}

function isEmpty(file: string): boolean {
  return reading(file, () => readFileSync(file, 'utf8')).trim() === '';
}

function withNew<T extends { readonly name: string }>(own: readonly T[], more: readonly T[]): T[] {
  const names = new Set(own.map(({ name }) => name));
  return [...own, ...more.filter(({ name }) => !names.has(name))];
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new ShipError('config', `the kubeconfig ${what} cannot be read`, {
      cause,
      hint: 'name another one after the command: --kubeconfig FILE',
    });
  }
}
