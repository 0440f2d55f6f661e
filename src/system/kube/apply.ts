import { isDeepStrictEqual } from 'node:util';
import {
  PatchStrategy,
  type KubernetesObject,
  type KubernetesObjectApi,
} from '@kubernetes/client-node';
import type { Asker } from './errors.ts';

const FIELD_MANAGER = 'ciliumship';

/** An object of a manifest, as far as it names itself. */
export interface NamedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}

/** Objects of any kind, by server-side apply. */
export function objectWriter(api: KubernetesObjectApi, { ask, demand }: Asker) {
  const apply = (object: NamedObject, dryRun?: 'All') =>
    api.patch(plain(object), undefined, dryRun, FIELD_MANAGER, true, PatchStrategy.ServerSideApply);
  const read = (object: NamedObject) =>
    ask(title(object), api.read<KubernetesObject>(plain(object) as Header));
  return {
    /** Whether applying an object would change nothing; asks the API server, which decides. */
    async isApplied(object: NamedObject): Promise<boolean> {
      const live = await read(object);
      if (live === undefined) return false;
      const wanted = await ask(title(object), apply(object, 'All'));
      return isDeepStrictEqual(content(wanted), content(live));
    },
    async applyObject(object: NamedObject): Promise<void> {
      await demand(`apply ${title(object)}`, apply(object));
    },
    /** That it is gone already is no failure. */
    async deleteObject(object: NamedObject): Promise<void> {
      await ask(`delete ${title(object)}`, api.delete(plain(object)));
    },
    async hasObject(object: NamedObject): Promise<boolean> {
      return (await read(object)) !== undefined;
    },
    /** Without what the API server wrote into it. */
    async readObject(object: NamedObject): Promise<PlainObject | undefined> {
      const live = await read(object);
      if (live === undefined) return undefined;
      const { name, namespace, labels, annotations } = live.metadata ?? {};
      const written = { ...live, metadata: { name, namespace, labels, annotations } };
      // Once through JSON: what is undefined is not there.
      const copy = JSON.parse(JSON.stringify({ ...object, ...written })) as PlainObject;
      delete copy['status'];
      return copy;
    },
  };
}

type PlainObject = NamedObject & Record<string, unknown>;
type Header = Parameters<KubernetesObjectApi['read']>[0];

/** The client changes what it is given. */
function plain(object: NamedObject): KubernetesObject {
  return structuredClone(object) as KubernetesObject;
}

function title({ kind, metadata }: NamedObject): string {
  return `${kind} ${metadata.name}`;
}

/** Without who set what when. */
function content(object: KubernetesObject | undefined): unknown {
  const copy = JSON.parse(JSON.stringify(object ?? {})) as KubernetesObject;
  delete copy.metadata?.managedFields;
  return copy;
}
