import { isDeepStrictEqual } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { ShipError } from '../core/errors.ts';
import type { Taint } from './cluster.ts';

/** A workload of a rendered chart, with what decides where its pods may run. */
export interface RenderedWorkload {
  readonly kind: string;
  readonly name: string;
  readonly images: readonly RenderedImage[];
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  readonly affinityTerms: readonly (readonly Expression[])[];
  /** Where its pods find the API server, when they are told. */
  readonly apiServer?: ApiServer | undefined;
}

export interface ApiServer {
  readonly host: string;
  readonly port: string;
}

export interface RenderedImage {
  readonly container: string;
  readonly image: string;
  readonly pullPolicy: string;
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: Taint['effect'];
}

export interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms?: readonly {
          readonly matchExpressions?: readonly Expression[];
        }[];
      };
    };
  };
}

interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly imagePullPolicy?: string;
  readonly env?: readonly { readonly name?: string; readonly value?: string }[];
}

interface Manifest {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string };
  readonly spec?: {
    readonly updateStrategy?: { readonly type?: string };
    readonly template?: { readonly spec?: PodSpec };
    readonly jobTemplate?: { readonly spec?: { readonly template?: { readonly spec?: PodSpec } } };
  };
}

/**
 * Every workload of a rendered chart that starts pods, with the images of all its containers and
 * init containers.
 *
 * @throws ShipError `config` when Helm rendered something that is not YAML
 */
export function workloadsOf(manifest: string): readonly RenderedWorkload[] {
  return parseAllDocuments(manifest).flatMap((document) => {
    if (document.errors.length > 0) {
      throw new ShipError(
        'config',
        `the rendered chart is not YAML: ${document.errors[0]?.message}`,
      );
    }
    const object = document.toJS() as Manifest | null;
    const spec = object?.spec?.template?.spec ?? object?.spec?.jobTemplate?.spec?.template?.spec;
    return object === null || spec === undefined ? [] : [workloadOf(object, spec)];
  });
}

/** True when two manifests start the pods of a DaemonSet from one template. */
export function sameTemplate(name: string, a: string, b: string): boolean {
  const [one, other] = [a, b].map((manifest) => daemonSetOf(name, manifest));
  return one !== undefined && isDeepStrictEqual(one?.spec?.template, other?.spec?.template);
}

/** True when the controller of a DaemonSet deletes no pod by itself: the order of them is ours. */
export function leavesOrder(name: string, manifest: string): boolean {
  return daemonSetOf(name, manifest)?.spec?.updateStrategy?.type === 'OnDelete';
}

/** True when it is the controller that chooses which pods are replaced, and how many at once. */
export function choosesOrder(name: string, manifest: string): boolean {
  const set = daemonSetOf(name, manifest);
  return set !== undefined && set.spec?.updateStrategy?.type !== 'OnDelete';
}

/** True when a manifest has a DaemonSet of this name. */
export function hasDaemonSet(name: string, manifest: string): boolean {
  return daemonSetOf(name, manifest) !== undefined;
}

function daemonSetOf(name: string, manifest: string): Manifest | undefined {
  const objects = parseAllDocuments(manifest).map((document) => document.toJS() as unknown);
  return objects.find((object): object is Manifest => isNamed(object, 'DaemonSet', name));
}

/** True of a Kubernetes object of this kind and name. */
export function isNamed(object: unknown, kind: string, name: string): boolean {
  const found = object as Manifest | null | undefined;
  return found?.kind === kind && found.metadata?.name === name;
}

function workloadOf(object: Manifest, spec: PodSpec): RenderedWorkload {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const affinity = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return {
    kind: object.kind ?? '',
    name: object.metadata?.name ?? '',
    images: containers.map(({ name = '', image = '', imagePullPolicy = 'IfNotPresent' }) => ({
      container: name,
      image,
      pullPolicy: imagePullPolicy,
    })),
    nodeSelector: spec.nodeSelector ?? {},
    tolerations: spec.tolerations ?? [],
    affinityTerms: (affinity?.nodeSelectorTerms ?? []).map((term) => term.matchExpressions ?? []),
    apiServer: apiServerOf(containers),
  };
}

function apiServerOf(containers: readonly Container[]): ApiServer | undefined {
  const valueOf = (key: string): string | undefined =>
    containers.flatMap(({ env }) => env ?? []).find(({ name }) => name === key)?.value;
  const host = valueOf('KUBERNETES_SERVICE_HOST') ?? '';
  // The chart writes `auto` for what the agent finds by itself.
  if (!/^[\w.:-]+$/.test(host) || host === 'auto') return undefined;
  return { host, port: valueOf('KUBERNETES_SERVICE_PORT') ?? '6443' };
}
