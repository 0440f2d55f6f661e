import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { ShipError } from '../../core/errors.ts';

/** An object of a manifest. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
  readonly [key: string]: unknown;
}

const object = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});

/** What others need is applied first and removed last. */
const FIRST = ['Namespace', 'CustomResourceDefinition'];
const LAST = new Set(['DaemonSet', 'Deployment', 'StatefulSet']);

/**
 * The objects of a manifest in the order in which they can be applied.
 *
 * @param file named in errors
 * @throws ShipError `config` when it is not a list of Kubernetes objects
 */
export function parseManifest(text: string, file: string): readonly KubeObject[] {
  const objects = parseAllDocuments(text).flatMap((document) => {
    const broken = document.errors[0]?.message;
    if (broken !== undefined) throw notManifest(file, broken);
    return document.toJS() === null ? [] : [readObject(document.toJS(), file)];
  });
  if (objects.length === 0) throw notManifest(file, 'it holds no object');
  return objects.toSorted((a, b) => rank(a) - rank(b));
}

function readObject(value: unknown, file: string): KubeObject {
  const read = object.safeParse(value);
  if (read.success) return read.data;
  throw notManifest(file, 'an object lacks apiVersion, kind or metadata.name');
}

function rank({ kind }: KubeObject): number {
  const first = FIRST.indexOf(kind);
  return first >= 0 ? first : LAST.has(kind) ? FIRST.length + 1 : FIRST.length;
}

function notManifest(file: string, why: string): ShipError {
  return new ShipError('config', `${file} is not a Kubernetes manifest: ${why}`, {
    hint: 'name the manifest of a release of the CNI under cni: in the config',
  });
}

/** A container as a manifest has it. */
export interface Container {
  readonly name?: string;
  readonly image?: string;
  readonly args?: readonly string[];
  readonly [key: string]: unknown;
}

/** An object with every container and init container changed. */
export function mapContainers(
  { ...whole }: KubeObject,
  change: (container: Container) => Container,
): KubeObject {
  return mapped(whole, change) as KubeObject;
}

function mapped(value: unknown, change: (container: Container) => Container): unknown {
  if (Array.isArray(value)) return value.map((item) => mapped(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const holds = (key === 'containers' || key === 'initContainers') && Array.isArray(item);
      return [key, holds ? (item as Container[]).map(change) : mapped(item, change)];
    }),
  );
}

/** Objects whose images go by other names and are never pulled: those that were shipped. */
export function withShippedImages(
  objects: readonly KubeObject[],
  names: ReadonlyMap<string, string>,
): readonly KubeObject[] {
  return objects.map((each) =>
    mapContainers(each, (container) => {
      const image = names.get(container.image ?? '');
      return image === undefined ? container : { ...container, image, imagePullPolicy: 'Never' };
    }),
  );
}
