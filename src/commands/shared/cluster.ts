import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { ObjectCluster } from '../../cluster/cni/steps.ts';
import { Cleanup } from '../../core/cleanup.ts';
import { PROFILE_LABEL } from '../../deploy/node-config.ts';
import type { Cluster, Helm, ReleaseName } from '../../deploy/cluster.ts';
import { leasedHelm } from '../../deploy/leased.ts';
import type { ClusterHealth } from '../../doctor/view.ts';
import { openHelm } from '../../system/helm.ts';
import { temporaryFolder } from '../../system/temporary-folder.ts';
import type { Context } from '../command.ts';
import type { Fleet } from './fleet.ts';
import { fetchKubeconfig, secretsOf } from './kubeconfig.ts';

/** Milliseconds for what is still asked of the cluster after a Ctrl-C. */
const CLOSING = 5_000;

/** The cluster, and how Helm reaches it; lives as long as the tunnel that may be behind it. */
export interface ClusterAccess extends AsyncDisposable {
  readonly cluster: Cluster & ClusterHealth & ObjectCluster;
  /** The same for what must be put right at the end: a Ctrl-C does not end its calls, time does. */
  readonly closing: () => Cluster & ObjectCluster;
  /** What KUBECONFIG must be for Helm. */
  readonly kubeconfig: string;
  /** Called before Helm changes anything, where that needs a lease; throws when it was lost. */
  readonly confirm?: (() => Promise<void>) | undefined;
  /** A folder for files that go with the run, 0700. */
  readonly folder: string;
}

/**
 * Reaches the cluster: by the kubeconfig of flag or environment, else by that of a server node,
 * through an SSH tunnel, so that nothing but SSH has to be reachable.
 *
 * @throws ShipError `config`, `network`, `identity`
 */
export async function openClusterAccess(context: Context, fleet: Fleet): Promise<ClusterAccess> {
  await using undo = new Cleanup();
  const folder = undo.hold(temporaryFolder()).path;
  const given = context.flags.kubeconfig ?? process.env['KUBECONFIG'];
  const access = given
    ? await ofUser(context, given)
    : await ofServer(context, fleet, folder, undo);
  const { openCluster } = await loadClient();
  const open = (signal: AbortSignal) =>
    openCluster(access.source, context.flags.context, PROFILE_LABEL, signal);
  const cluster = open(context.signal);
  const closing = () => open(AbortSignal.timeout(CLOSING));
  const owned = undo.move();
  const dispose = (): Promise<void> => owned[Symbol.asyncDispose]();
  const { kubeconfig } = access;
  return { cluster, closing, kubeconfig, folder, [Symbol.asyncDispose]: dispose };
}

/** Loads the client for the API server: late, since most commands do not need it. */
export function loadClient() {
  return import('../../system/kube/cluster.ts');
}

/** A cluster that is reached while something else goes on. */
export interface ClusterBeside extends AsyncDisposable {
  /** Starts to reach it. */
  readonly begin: () => void;
  /** Undefined when it was not begun, or cannot be reached: who tries once more hears why. */
  readonly access: () => Promise<ClusterAccess | undefined>;
}

/** Gets ready to reach the cluster as `openClusterAccess` does, and leaves it at the end. */
export function clusterBeside(context: Context, fleet: Fleet): ClusterBeside {
  let opening: Promise<ClusterAccess | undefined> | undefined;
  const access = async (): Promise<ClusterAccess | undefined> => opening;
  return {
    begin: () => {
      opening ??= openClusterAccess(context, fleet).catch(() => undefined);
    },
    access,
    [Symbol.asyncDispose]: async () => (await access())?.[Symbol.asyncDispose](),
  };
}

/** Helm, on the same cluster. Throws as `openHelm`. */
export async function helmOn(
  { flags, signal }: Context,
  { kubeconfig, confirm }: Pick<ClusterAccess, 'kubeconfig' | 'confirm'>,
): Promise<Helm> {
  const helm = await openHelm({ kubeconfig, context: flags.context }, signal);
  return confirm === undefined ? helm : leasedHelm(helm, confirm);
}

/** The release that flags and config name. */
export function releaseOf({ config, flags }: Context): ReleaseName {
  return {
    name: config.deploy.release,
    namespace: flags.namespace ?? config.deploy.namespace,
  };
}

/** The user's own files stay where they are: they may name certificates beside them. */
async function ofUser({ output }: Context, kubeconfig: string) {
  const files = kubeconfig.split(delimiter).filter((file) => file !== '');
  // What cannot be read is passed over or refused where it is loaded.
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  for (const secret of texts.flatMap(secretsOf)) output.hide(secret);
  return { kubeconfig, source: { files } };
}

async function ofServer(context: Context, fleet: Fleet, folder: string, undo: Cleanup) {
  const text = await fetchKubeconfig(context, fleet, undo);
  for (const secret of secretsOf(text)) context.output.hide(secret);
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, text, { mode: 0o600 });
  return { kubeconfig, source: { text } };
}
