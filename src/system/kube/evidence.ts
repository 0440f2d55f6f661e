import type { CoreV1Api, V1Pod } from '@kubernetes/client-node';
import type { Asker } from './errors.ts';

const TAIL = 500;
/** Bytes: a container may write a line without an end. */
export const MAX_LOG = 4 * 1024 * 1024;

/**
 * What a pod leaves behind: its status, its events, and what each container wrote in this life and
 * in the one before.
 *
 * @returns name of a file → text; what cannot be read says why instead
 */
export async function podEvidence(
  core: CoreV1Api,
  { demand }: Asker,
  namespace: string,
  { name, uid }: { readonly name: string; readonly uid: string },
): Promise<ReadonlyMap<string, string>> {
  const read = async <T>(what: string, call: Promise<T>, show: (found: T) => string) =>
    demand(what, call).then(show, (error: unknown) => String(error));
  const files = new Map<string, string>();
  let pod: V1Pod | undefined;
  const status = read('pod', core.readNamespacedPod({ name, namespace }), (found) => {
    pod = found;
    return json(found.status);
  });
  files.set('pod.json', await status);
  const fieldSelector = `involvedObject.uid=${uid}`;
  const events = core.listNamespacedEvent({ namespace, fieldSelector });
  files.set('events.json', await read('events', events, ({ items }) => json(items)));
  for (const container of containersOf(pod)) {
    for (const previous of [false, true]) {
      const options = {
        name,
        namespace,
        container,
        previous,
        tailLines: TAIL,
        limitBytes: MAX_LOG,
      };
      const log = read('log', core.readNamespacedPodLog(options), (text) => text);
      files.set(`${container}${previous ? '.previous' : ''}.log`, await log);
    }
  }
  return files;
}

/** Those that were started at least once. */
function containersOf(pod: V1Pod | undefined): readonly string[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {};
  return [...initContainerStatuses, ...containerStatuses]
    .filter(({ containerID }) => containerID !== undefined)
    .map(({ name }) => name);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
