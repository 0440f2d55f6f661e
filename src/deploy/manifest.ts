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
  const [one, other] = [a, b].map((manifest) =>
    parseAllDocuments(manifest)
      .map((document) => document.toJS() as Manifest | null)
      .find((object) => object?.kind === 'DaemonSet' && object.metadata?.name === name),
  );
  return one !== undefined && isDeepStrictEqual(one?.spec?.template, other?.spec?.template);
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
