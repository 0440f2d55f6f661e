import { cniAgents, type CniAgents } from '../../cluster/cni/known.ts';
import type { KubeObject } from '../../cluster/cni/manifest.ts';
import { removeStep } from '../../cluster/cni/steps.ts';
import { ShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import { waitFor } from '../../core/wait.ts';
import { runStage } from '../../output/stage.ts';
import type { Context } from '../command.ts';
import { helmOn, openClusterAccess, releaseOf, type ClusterAccess } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { manifestObjects } from './install-manifest.ts';
import { whileLeased } from './release.ts';
import { timeoutOf } from './timeout.ts';
import { acting } from './stages.ts';

/**
 * Takes every CNI out of the cluster, and waits until its agents and namespaces are gone. An API
 * that nobody answers for would keep a namespace for ever (E7), so those go first.
 *
 * @throws ShipError `deploy` for what does not end in time; `config`, `network`
 */
export async function removeCnis(context: Context, fleet: Fleet): Promise<void> {
  await using access = await openClusterAccess(context, fleet);
  await whileLeased(context, access, async (leased) => {
    await removeDeadApis(leased, access);
    const all = cniAgents(releaseOf(context).namespace);
    for (const agents of all) await removeOne(leased, access, agents);
  });
}

async function removeDeadApis(context: Context, { cluster }: ClusterAccess): Promise<void> {
  const dead = (await cluster.apiServices()).filter(({ available }) => !available);
  const steps = dead.map(({ name }) => removeStep(apiService(name), cluster));
  await runStage('APIs', steps, acting(context));
}

function apiService(name: string): KubeObject {
  return { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name } };
}

async function removeOne(
  context: Context,
  access: ClusterAccess,
  agents: CniAgents,
): Promise<void> {
  const { cluster } = access;
  const set = await cluster.workload(agents.namespace, 'DaemonSet', agents.daemonSet);
  const { name } = agents;
  if (name === 'cilium') await uninstallRelease(context, access);
  else if (set !== undefined) {
    const objects = await manifestObjects(context, name);
    const steps = objects.toReversed().map((object) => removeStep(object, cluster));
    await runStage('Remove', steps, { ...acting(context), concurrency: 1 });
  }
  await runStage('Wait', [goneStep(context, access, agents)], acting(context));
}

async function uninstallRelease(context: Context, access: ClusterAccess): Promise<void> {
  const release = releaseOf(context);
  const helm = await helmOn(context, access);
  if ((await helm.status(release)) === undefined) return;
  const step: Step<string> = {
    id: 'helm',
    title: `helm uninstall ${release.name}`,
    plan: () => [`helm uninstall ${release.name} -n ${release.namespace}`],
    run: async () => {
      await helm.uninstall(release);
      return release.name;
    },
    describe: (name) => name,
  };
  await runStage('Helm', [step], acting(context));
}

/** Namespaces that go with a CNI, each by its own manifest or chart. */
const NAMESPACES: Readonly<Record<string, string>> = {
  cilium: 'cilium-secrets',
  flannel: 'kube-flannel',
};

function goneStep(context: Context, access: ClusterAccess, agents: CniAgents): Step<string> {
  const { cluster } = access;
  const { name, namespace, selector } = agents;
  const look = async (): Promise<string | undefined> => {
    if ((await cluster.pods(namespace, selector)).length > 0) return undefined;
    const open = (await cluster.namespaces()).find((one) => one.name === NAMESPACES[name]);
    return open?.terminating === true ? undefined : name;
  };
  return {
    id: name,
    title: `wait until ${name} is gone`,
    done: look,
    run: async ({ signal }) => {
      const lookAndFree = async (): Promise<string | undefined> => {
        const gone = await look();
        // The pods behind an API may have lost their network just now.
        if (gone === undefined) await freeNamespaces(access);
        return gone;
      };
      return waitFor(lookAndFree, timeoutOf(context), signal, () => stays(agents));
    },
    describe: () => `${name} is gone`,
  };
}

async function freeNamespaces({ cluster }: ClusterAccess): Promise<void> {
  const stuck = (await cluster.namespaces()).some((one) => one.terminating && one.stuck !== '');
  if (!stuck) return;
  const dead = (await cluster.apiServices()).filter(({ available }) => !available);
  for (const { name } of dead) await cluster.deleteObject(apiService(name));
}

function stays({ name, namespace, selector }: CniAgents): ShipError {
  return new ShipError('deploy', `${name}: agents or namespace do not go`, {
    hint: `see why: kubectl -n ${namespace} get pods -l ${selector}; kubectl get namespaces; ciliumship doctor E7`,
  });
}
