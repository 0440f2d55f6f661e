import { V1MicroTime, type CoordinationV1Api } from '@kubernetes/client-node';
import { ShipError } from '../../core/errors.ts';
import { statusOf, type Asker } from './errors.ts';

const SECONDS = 30;
const CONFLICT = 409;
const ABSENT = 404;

/** Leases of `coordination.k8s.io`, written only over the version that was read. */
export function leasesOf(api: CoordinationV1Api, { ask }: Asker) {
  return {
    async read(namespace: string, name: string) {
      const found = await ask(`lease ${name}`, api.readNamespacedLease({ namespace, name }));
      if (found === undefined) return undefined;
      const { resourceVersion: version = '' } = found.metadata ?? {};
      return { text: found.spec?.holderIdentity ?? '', version };
    },

    async write(namespace: string, name: string, text: string, version: string | undefined) {
      const body = leaseOf(name, text, version);
      const call =
        version === undefined
          ? api.createNamespacedLease({ namespace, body }).catch(unlessAbsent(namespace))
          : api.replaceNamespacedLease({ namespace, name, body });
      const made = await ask(`write lease ${name}`, call.catch(unlessConflict));
      return made?.metadata?.resourceVersion;
    },

    async remove(namespace: string, name: string, version: string) {
      const body = { preconditions: { resourceVersion: version } };
      const call = api.deleteNamespacedLease({ namespace, name, body });
      await ask(`delete lease ${name}`, call.catch(unlessConflict));
    },
  };
}

function leaseOf(name: string, holderIdentity: string, resourceVersion: string | undefined) {
  // Times are for people who look at the lease: nothing of ours reads them, because clocks differ.
  return {
    metadata: { name, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec: { holderIdentity, leaseDurationSeconds: SECONDS, renewTime: new V1MicroTime() },
  };
}

/** What is made can miss nothing but its namespace. */
function unlessAbsent(namespace: string) {
  return (error: unknown): never => {
    if (statusOf(error) !== ABSENT) throw error;
    throw new ShipError('config', `the cluster has no namespace ${namespace}`, {
      hint: `name another with --namespace, or make it: kubectl create namespace ${namespace}`,
    });
  };
}

/** That someone else was faster is an answer. */
function unlessConflict(error: unknown): undefined {
  if (statusOf(error) === CONFLICT) return undefined;
  throw error;
}
