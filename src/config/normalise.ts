import { dirname, resolve } from 'node:path';
import type { Platform } from '../core/image.ts';
import type { Node } from '../core/node.ts';
import { parseDuration } from './duration.ts';
import { parseRate } from './rate.ts';
import { parseSize } from './size.ts';
import type { ConfigFile } from './schema.ts';

/** An image to build, as the config (or the default for a Cilium tree) describes it. */
export interface ImageSpec {
  readonly key: string;
  /** REPO without tag. */
  readonly repository: string;
  readonly dockerfile: string;
  readonly target?: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Values key of the chart's image block, such as `operator.image`. */
  readonly value?: string | undefined;
}

/** A file by path or URL, and what it must be. */
export interface Pinned {
  /** Absolute path, or a URL. */
  readonly from: string;
  readonly sha256: string | undefined;
}

/** The config with every default filled in. Paths are absolute, durations are milliseconds. */
export interface Config {
  readonly file: string;
  readonly folder: string;
  readonly source: string;
  readonly tag: string;
  readonly platform: Platform;
  readonly nodes: readonly Node[];
  readonly images: readonly ImageSpec[];
  /** `auto` for what the chart runs besides; see `extraImagesOf`. */
  readonly extraImages: 'auto' | readonly string[];
  readonly routes: ConfigFile['routes'];
  readonly build: { readonly engine: ConfigFile['build']['engine']; readonly idleTimeout: number };
  readonly transfer: Omit<ConfigFile['transfer'], 'maxRate' | 'retry'> & {
    /** Bytes per second. */
    readonly maxRate: number | undefined;
    readonly retry: number;
  };
  readonly import: {
    /** Bytes per second. */
    readonly maxRate: number | undefined;
    readonly servers: number;
  };
  readonly store: {
    /** Bytes. */
    readonly maxSize: number;
  };
  readonly ssh: ConfigFile['ssh'];
  readonly deploy: {
    /** Folder, or the name of a chart that `remoteChart` says where to get. */
    readonly chart: string;
    readonly remoteChart: RemoteChart | undefined;
    readonly release: string;
    readonly namespace: string;
    readonly values: string | undefined;
    readonly timeout: number;
    readonly soak: number;
    readonly canary: string | undefined;
    readonly offline: boolean;
  };
  readonly hooks: {
    /** Name of a hook → path of its program; only those that the config names. */
    readonly programs: ReadonlyMap<HookName, string>;
    readonly timeout: number;
  };
  readonly k3s: Omit<ConfigFile['k3s'], 'binary' | 'installer'> & {
    /** Absolute path, or URL. */
    readonly binary: string | undefined;
    readonly installer: string | undefined;
  };
  readonly cni: {
    readonly flannel: Pinned | undefined;
    readonly antrea: Pinned | undefined;
    readonly cilium: (Pinned & { readonly values: string | undefined }) | undefined;
    readonly plugins: Pinned | undefined;
  };
}

export const HOOKS = [
  'before-push',
  'after-push',
  'before-deploy',
  'after-deploy',
  'on-failure',
] as const;

export type HookName = (typeof HOOKS)[number];

/** What the Makefile of a Cilium tree builds for the agent and the operator. */
export const CILIUM_IMAGES: readonly ImageSpec[] = [
  {
    key: 'cilium',
    repository: 'quay.io/cilium/cilium',
    dockerfile: 'images/cilium/Dockerfile',
    target: 'release',
    buildArgs: { OPERATOR_VARIANT: 'cilium' },
    value: 'image',
  },
  {
    key: 'operator-generic',
    repository: 'quay.io/cilium/operator-generic',
    dockerfile: 'images/operator/Dockerfile',
    target: 'release',
    buildArgs: { OPERATOR_VARIANT: 'operator-generic' },
    value: 'operator.image',
  },
];

/** A chart that Helm fetches. */
export interface RemoteChart {
  readonly repo: string | undefined;
  readonly version: string;
}

/** Turns a checked file into the values that commands use. `file` is its absolute path. */
export function normalise(config: ConfigFile, file: string): Config {
  const folder = dirname(file);
  const source = resolve(folder, config.source);
  return {
    file,
    folder,
    source,
    tag: config.tag,
    platform: config.platform as Platform,
    nodes: Object.entries(config.nodes).map(([name, node]) => toNode(name, node)),
    images: config.images === undefined ? CILIUM_IMAGES : toImages(config.images),
    extraImages: config.extraImages,
    routes: config.routes,
    build: { engine: config.build.engine, idleTimeout: parseDuration(config.build.idleTimeout) },
    transfer: toTransfer(config.transfer),
    import: { ...config.import, maxRate: optionalRate(config.import.maxRate) },
    store: { maxSize: parseSize(config.store.maxSize) },
    ssh: config.ssh,
    deploy: toDeploy(config.deploy, folder, source),
    hooks: toHooks(config.hooks, folder),
    k3s: toK3s(config.k3s, folder),
    cni: toCni(config.cni, folder),
  };
}

function toCni({ flannel, antrea, cilium, plugins }: ConfigFile['cni'], folder: string) {
  const pinned = (from: string, sha256: string | undefined): Pinned => ({
    from: isUrl(from) ? from : resolve(folder, from),
    sha256,
  });
  return {
    flannel: flannel && pinned(flannel.manifest, flannel.sha256),
    antrea: antrea && pinned(antrea.manifest, antrea.sha256),
    cilium: cilium && {
      ...pinned(cilium.chart, cilium.sha256),
      values: cilium.values === undefined ? undefined : resolve(folder, cilium.values),
    },
    plugins: plugins && pinned(plugins.archive, plugins.sha256),
  };
}

function toNode(name: string, node: ConfigFile['nodes'][string]): Node {
  const devices = node.devices ?? (node.dataInterface === undefined ? [] : [node.dataInterface]);
  return { ...node, name, devices };
}

function toImages(images: NonNullable<ConfigFile['images']>): readonly ImageSpec[] {
  return Object.entries(images).map(([key, image]) => ({
    key,
    repository: image.name,
    dockerfile: image.dockerfile,
    target: image.target,
    buildArgs: image.buildArgs ?? {},
    value: image.value,
  }));
}

function toTransfer(transfer: ConfigFile['transfer']): Config['transfer'] {
  const { maxRate, retry } = transfer;
  return {
    ...transfer,
    maxRate: optionalRate(maxRate),
    retry: parseDuration(retry),
  };
}

function optionalRate(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseRate(text);
}

function toK3s(k3s: ConfigFile['k3s'], folder: string): Config['k3s'] {
  const place = (given: string | undefined): string | undefined =>
    given === undefined || isUrl(given) ? given : resolve(folder, given);
  return { ...k3s, binary: place(k3s.binary), installer: place(k3s.installer) };
}

/** Whether a file of the config is to be fetched. */
export function isUrl(file: string): boolean {
  return /^https?:\/\//.test(file);
}

function toDeploy(deploy: ConfigFile['deploy'], folder: string, source: string): Config['deploy'] {
  return {
    remoteChart:
      deploy.chartVersion === undefined
        ? undefined
        : { repo: deploy.chartRepo, version: deploy.chartVersion },
    chart:
      deploy.chart !== undefined && deploy.chartVersion !== undefined
        ? deploy.chart
        : deploy.chart === undefined
          ? resolve(source, 'install/kubernetes/cilium')
          : resolve(folder, deploy.chart),
    release: deploy.release,
    namespace: deploy.namespace,
    values: deploy.values === undefined ? undefined : resolve(folder, deploy.values),
    timeout: parseDuration(deploy.timeout),
    soak: parseDuration(deploy.soak),
    canary: deploy.canary,
    offline: deploy.offline,
  };
}

function toHooks(hooks: ConfigFile['hooks'], folder: string): Config['hooks'] {
  const programs = HOOKS.flatMap((name) => {
    const path = hooks[name];
    return path === undefined ? [] : [[name, resolve(folder, path)] as const];
  });
  return { programs: new Map(programs), timeout: parseDuration(hooks.timeout) };
}
