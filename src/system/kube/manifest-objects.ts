import type { KubernetesObject, KubernetesObjectApi } from '@kubernetes/client-node';
import pLimit from 'p-limit';
import { parseAllDocuments } from 'yaml';
import { ShipError } from '../../core/errors.ts';
import type { Asker } from './errors.ts';

/** Calls at once; a chart of Cilium has some sixty objects. */
export const AT_ONCE = 16;

/**
 * The objects of a manifest, each as the cluster has it. Secrets are left out unless they are asked
 * for: nobody needs a right to them to compare the rest. An object that we may not read leaves the
 * others alone.
 *
 * @throws ShipError `network` when the API server does not answer
 */
export async function manifestObjects(
  api: KubernetesObjectApi,
  { ask }: Asker,
  namespace: string,
  manifest: string,
  withSecrets: boolean,
) {
  const limit = pLimit(AT_ONCE);
  const found = renderedObjects(manifest, withSecrets).map((rendered) =>
    limit(async () => {
      const { apiVersion = 'v1', kind = '' } = rendered;
      const name = rendered.metadata?.name ?? '';
      const metadata = { name, namespace: rendered.metadata?.namespace ?? namespace };
      const live = await readable(
        ask(`get ${kind} ${name}`, api.read({ apiVersion, kind, metadata }).catch(noSuchKind)),
      );
      return {
        apiVersion,
        kind,
        name,
        namespace: placeOf(rendered, live, namespace),
        rendered,
        live,
      };
    }),
  );
  return Promise.all(found);
}

/** A kind whose CRD comes with the operator is not there before the first install. */
function noSuchKind(error: unknown): undefined {
  if (isUnknownKind(error)) return undefined;
  throw error;
}

/** True of what the client says of a kind that the API server does not serve. */
export function isUnknownKind(error: unknown): boolean {
  return error instanceof Error && /Unrecognized API version and kind/i.test(error.message);
}

/** What a manifest renders, but for Secrets unless they are asked for. */
export function renderedObjects(
  manifest: string,
  withSecrets = false,
): readonly KubernetesObject[] {
  return parseAllDocuments(manifest).flatMap((document) => {
    const object = document.toJS() as KubernetesObject | null;
    const named = object?.kind !== undefined && object.metadata?.name !== undefined;
    return named && (withSecrets || object.kind !== 'Secret') ? [object] : [];
  });
}

async function readable(read: Promise<KubernetesObject | undefined>) {
  try {
    const object = await read;
    if (object === undefined) return 'deleted' as const;
    return { object, managed: object.metadata?.managedFields ?? [] };
  } catch (error) {
    if (error instanceof ShipError && error.kind !== 'network') return { why: error.message };
    throw error;
  }
}

/** The server says whether an object has a namespace; without an answer the manifest does. */
function placeOf(
  rendered: KubernetesObject,
  live: Awaited<ReturnType<typeof readable>>,
  namespace: string,
): string | undefined {
  if (live === 'deleted') return rendered.metadata?.namespace ?? namespace;
  return 'object' in live ? live.object.metadata?.namespace : rendered.metadata?.namespace;
}
