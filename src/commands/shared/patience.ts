import type { Patience } from '../../core/wait.ts';
import type { Cluster } from '../../deploy/cluster.ts';
import { patientCluster } from '../../deploy/patient-cluster.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import { timeoutOf } from './timeout.ts';

/** What a rollout bears: no answer for as long as a node gets, and connections that were lost. */
export function patienceOf(context: Context, fleet: Fleet): Patience {
  const { output, signal } = context;
  const timeout = timeoutOf(context);
  const said = new Set<string>();
  return {
    timeout,
    signal,
    mend: async ({ message }) => {
      if (!said.has(message)) output.note(`${message}; tried again for ${timeout / 1000} s`);
      said.add(message);
      await restoreSessions(fleet, signal);
    },
  };
}

/** The cluster of a rollout, with that patience. */
export function patient(context: Context, fleet: Fleet, cluster: Cluster): Cluster {
  return patientCluster(cluster, patienceOf(context, fleet));
}

/** The cluster may be behind a connection that was lost: its own network is what went wrong. */
export async function restoreSessions({ sessions }: Fleet, signal: AbortSignal): Promise<void> {
  await Promise.allSettled([...sessions.values()].map((session) => session.restore(signal)));
}
