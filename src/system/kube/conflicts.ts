import {
  ApiException,
  PatchStrategy,
  type KubernetesObject,
  type KubernetesObjectApi,
} from '@kubernetes/client-node';
import pLimit from 'p-limit';
import { z } from 'zod';
import { statusOf, type Asker } from './errors.ts';
import { AT_ONCE, isUnknownKind, renderedObjects } from './manifest-objects.ts';

/** As whom Helm applies, whatever its program is called. */
const HELM = 'helm';
const CONFLICT = 409;
const TOO_MANY = 429;

/** A field of an object that somebody else set to something else. */
interface FieldConflict {
  /** `ConfigMap cilium-config`. */
  readonly object: string;
  /** `data.mtu`. */
  readonly field: string;
  readonly manager: string;
}

/** What the API server says of itself; a proxy before it does not. */
const answer = z.object({ kind: z.literal('Status') });

const refusal = z.object({
  details: z.object({
    causes: z.array(
      z.object({
        reason: z.string().optional(),
        message: z.string().default(''),
        field: z.string().default(''),
      }),
    ),
  }),
});

/**
 * The fields at which Helm would stop that applies a manifest on the server. The API server decides: it
 * is asked to apply each object as Helm, by a dry run. Whatever else it refuses Helm will hear itself.
 *
 * @throws ShipError `network` when the API server does not answer, `deploy` when it has too much to do
 */
export async function fieldConflicts(
  api: Pick<KubernetesObjectApi, 'patch' | 'read'>,
  { ask }: Asker,
  namespace: string,
  manifest: string,
): Promise<readonly FieldConflict[]> {
  const limit = pLimit(AT_ONCE);
  const found = renderedObjects(manifest, true).map((object) =>
    limit(() => ask(`apply ${titleOf(object)} (dry run)`, tryApply(api, object, namespace))),
  );
  return (await Promise.all(found)).flatMap((conflicts) => conflicts ?? []);
}

async function tryApply(
  api: Pick<KubernetesObjectApi, 'patch' | 'read'>,
  rendered: KubernetesObject,
  namespace: string,
): Promise<readonly FieldConflict[]> {
  try {
    const object = await placed(api, rendered, namespace);
    await api.patch(object, undefined, 'All', HELM, false, PatchStrategy.ServerSideApply);
    return [];
  } catch (error) {
    if (statusOf(error) === CONFLICT) return conflictsIn(error, titleOf(rendered));
    if (isRefusal(error)) return [];
    throw error;
  }
}

/** The server says whether an object has a namespace that the manifest does not name. */
async function placed(
  api: Pick<KubernetesObjectApi, 'read'>,
  rendered: KubernetesObject,
  namespace: string,
): Promise<KubernetesObject> {
  // The client changes what it is given.
  const object = structuredClone(rendered);
  if (object.metadata?.namespace !== undefined) return object;
  const { apiVersion = 'v1', kind = '', metadata } = structuredClone(rendered);
  const header = { apiVersion, kind, metadata: { name: metadata?.name ?? '', namespace } };
  const live = await api.read<KubernetesObject>(header);
  const there = live.metadata?.namespace;
  if (there !== undefined) (object.metadata ??= {}).namespace = there;
  return object;
}

/**
 * An object, or a kind, that is not there yet; no right to it; a webhook that wants no dry runs, or is
 * down; an object that cannot be merged: the last two come as a 500, but in the API server's own words.
 */
function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  if (status === 500) return answer.safeParse(bodyOf(error)).success;
  if (status !== undefined) return status < 500 && status !== TOO_MANY;
  return isUnknownKind(error);
}

function conflictsIn(error: unknown, object: string): readonly FieldConflict[] {
  const parsed = refusal.safeParse(bodyOf(error));
  const causes = parsed.data?.details.causes ?? [];
  return causes
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ field, message }) => ({
      object,
      field: field.replace(/^\./, ''),
      // `conflict with "kubectl-edit" using apps/v1 at 2026-01-01T00:00:00Z`
      manager: /^conflict with "(.*?)"/.exec(message)?.[1] ?? message,
    }));
}

/** Undefined where something else than the API server answered. */
function bodyOf(error: unknown): unknown {
  const body = error instanceof ApiException ? (error as ApiException<unknown>).body : undefined;
  if (typeof body !== 'string') return body;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function titleOf({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata?.name}`;
}
