import type { CoreV1Api, V1Pod } from '@kubernetes/client-node';
import type { Asker } from './errors.ts';

/** Reason of the event with which a kubelet says that a CNI gave it no network. */
const NO_SANDBOX = 'FailedCreatePodSandBox';

/**
 * Pods that are bound to a node and whose sandbox could not be made, as the events of their kubelets
 * say: how long they wait tells nothing without comparing clocks.
 *
 * @throws ShipError as `Asker`
 */
export async function stuckPods(core: CoreV1Api, { demand }: Asker) {
  const fieldSelector = 'status.phase=Pending';
  const { items } = await demand(
    'list pending pods',
    core.listPodForAllNamespaces({ fieldSelector }),
  );
  const waiting = items.filter(isCreated);
  const found = waiting.map(async ({ metadata, spec }) => {
    const { name = '', namespace = '', uid = '' } = metadata ?? {};
    const events = await demand(
      'list events',
      core.listNamespacedEvent({
        namespace,
        fieldSelector: `involvedObject.uid=${uid},reason=${NO_SANDBOX}`,
      }),
    );
    const why = events.items.at(-1)?.message;
    return why === undefined ? [] : [{ namespace, name, node: spec?.nodeName, why }];
  });
  return (await Promise.all(found)).flat();
}

/** Its node was chosen and nothing of it runs yet. */
function isCreated({ spec, status }: V1Pod): boolean {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return spec?.nodeName !== undefined && all.every(({ state }) => state?.waiting !== undefined);
}
