import type { KubeObject } from '../../cluster/cni/manifest.ts';
import type { ObjectCluster } from '../../cluster/cni/steps.ts';
import { toShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import type { ClusterHealth } from '../../doctor/view.ts';

/** APIs that nobody answers for: while one is there, no namespace can be deleted (E7). */
export interface DeadApis extends AsyncDisposable {
  /** One step for each that is there now. */
  steps(): Promise<readonly Step<string>[]>;
  /** Takes away those that are there now when a namespace waits for them, and else none. */
  free(namespace: string | undefined): Promise<void>;
}

/** Of CNIs: they go with them. */
const OF_CNI = /\.(antrea|cilium)\.io$/;

/**
 * Takes such APIs away for as long as a CNI is removed. Those of others, such as that of
 * metrics-server, are put back at the end, however it ends: their pods may get a network again.
 *
 * @param closing the same cluster for what must be put right after a Ctrl-C
 * @param note is told what was put back, or could not be
 */
export function deadApis(
  cluster: ClusterHealth & ObjectCluster,
  closing: () => ObjectCluster,
  note: (text: string) => void,
): DeadApis {
  const aside = new Map<string, KubeObject>();
  const dead = async () =>
    (await cluster.apiServices()).filter(({ available }) => !available).map(({ name }) => name);
  const take = async (name: string): Promise<string> => {
    const found = await cluster.readObject(apiService(name));
    if (found !== undefined && !OF_CNI.test(name)) aside.set(name, found);
    await cluster.deleteObject(apiService(name));
    return name;
  };
  return {
    steps: async () => (await dead()).map((name) => takeStep(name, () => take(name))),
    free: async (namespace) => {
      const stuck = (await cluster.namespaces()).some(
        (one) => one.name === namespace && one.terminating && one.stuck !== '',
      );
      if (stuck) for (const name of await dead()) await take(name);
    },
    [Symbol.asyncDispose]: async () => {
      for (const [name, object] of aside) note(await putBack(name, object, closing()));
    },
  };
}

function takeStep(name: string, run: () => Promise<string>): Step<string> {
  const back = OF_CNI.test(name) ? '' : ', and put it back at the end';
  return {
    id: `APIService/${name}`,
    title: `delete APIService ${name}`,
    plan: () => [`kubectl delete APIService ${name}${back}`],
    run,
  };
}

async function putBack(name: string, object: KubeObject, cluster: ObjectCluster): Promise<string> {
  try {
    if (!(await cluster.hasObject(object))) await cluster.applyObject(object);
    return `APIService ${name} is back; it answers once its pods have a network`;
  } catch (error) {
    return `APIService ${name} could not be put back: ${toShipError(error).message}; apply it again, that of metrics-server comes back when K3s starts`;
  }
}

function apiService(name: string): KubeObject {
  return { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name } };
}
