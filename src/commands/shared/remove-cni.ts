import { cniAgents, type CniAgents } from '../../cluster/cni/known.ts';
import { removeStep } from '../../cluster/cni/steps.ts';
import { ShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import { waitFor } from '../../core/wait.ts';
import { runStage } from '../../output/stage.ts';
import type { Context } from '../command.ts';
import { helmOn, openClusterAccess, releaseOf, type ClusterAccess } from './cluster.ts';
import { deadApis, type DeadApis } from './dead-apis.ts';
import type { Fleet } from './fleet.ts';
import { manifestObjects } from './install-manifest.ts';
import { whileLeased } from './release.ts';
import { timeoutOf } from './timeout.ts';
import { acting } from './stages.ts';

/**
 * Takes every CNI out of the cluster, and waits until its agents and namespaces are gone. An API
 * that nobody answers for would keep a namespace for ever (E7), so those go first, and those of others
 * come back at the end.
 *
 * @throws ShipError `deploy` for what does not end in time; `config`, `network`
 */
export async function removeCnis(context: Context, fleet: Fleet): Promise<void> {
  await using open = await openClusterAccess(context, fleet);
  await whileLeased(context, open, async (leased, access) => {
    const note = (text: string): void => context.output.note(text);
    await using apis = deadApis(access.cluster, access.closing, note);
    await runStage('APIs', await apis.steps(), acting(leased));
    const all = cniAgents(releaseOf(context).namespace);
    for (const agents of all) await removeOne(leased, access, apis, agents);
  });
}

async function removeOne(
  context: Context,
  access: ClusterAccess,
  apis: DeadApis,
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
  await runStage('Wait', [goneStep(context, access, apis, agents)], acting(context));
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

function goneStep(
  context: Context,
  { cluster }: ClusterAccess,
  apis: DeadApis,
  agents: CniAgents,
): Step<string> {
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
        if (gone === undefined) await apis.free(NAMESPACES[name]);
        return gone;
      };
      return waitFor(lookAndFree, timeoutOf(context), signal, () => stays(agents));
    },
    describe: () => `${name} is gone`,
  };
}

function stays({ name, namespace, selector }: CniAgents): ShipError {
  return new ShipError('deploy', `${name}: agents or namespace do not go`, {
    hint: `see why: kubectl -n ${namespace} get pods -l ${selector}; kubectl get namespaces; ciliumship doctor E7`,
  });
}
