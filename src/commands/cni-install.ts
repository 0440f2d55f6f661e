import { Argument } from 'commander';
import { CNI_NAMES, type CniName } from '../cluster/cni/known.ts';
import { requireNoOthers } from '../cluster/cni/leftovers.ts';
import { combineFailures } from '../core/errors.ts';
import type { NodeFacts } from '../facts/node-facts.ts';
import type { CommandSpec, Context } from './command.ts';
import { checksText, requireValid } from './shared/checks.ts';
import { openClusterAccess, type ClusterAccess } from './shared/cluster.ts';
import { connectFleet, type Fleet } from './shared/fleet.ts';
import { installCilium } from './shared/install-cilium.ts';
import { installManifest } from './shared/install-manifest.ts';
import { readFleetFacts } from './shared/machines.ts';
import { refuseNarrowing } from './shared/nodes.ts';
import { probePods } from './shared/probe-pods.ts';

export const cniInstall: CommandSpec = {
  name: 'cni install',
  summary: 'install a stock CNI and prove that pods reach each other',
  description:
    'Installs Flannel or Antrea from a pinned manifest, or Cilium from a published chart, as the config names them under cni. Nothing is pulled by the nodes: the images are shipped from the Docker of this machine. Flannel gets the pod network of the cluster and the data interface of each node; Cilium gets the values that follow from config and machines, with your cni.cilium.values over them, and is rolled out one node at a time. Refused while another CNI’s leftovers are on a node. At the end a pod on each node pings the others; the pods are removed again.',
  examples: [
    ['ciliumship cni install flannel', 'from cni.flannel.manifest'],
    ['ciliumship cni install cilium', 'from cni.cilium.chart, before your own build is deployed'],
    ['ciliumship cni install antrea --dry-run', 'check everything and print what would be done'],
  ],
  args: [new Argument('<cni>', 'which one').choices([...CNI_NAMES])],
  receipt: true,
  run: async (context) => {
    const name = context.args[0] as CniName;
    refuseNarrowing(context.flags.nodes);
    await using fleet = await connectFleet(context, context.config.nodes);
    const facts = await factsOfAll(context, fleet);
    requireNoOthers(name, facts);
    noteProxy(context, name, facts);
    await using access = await openClusterAccess(context, fleet);
    const done = await install(context, fleet, access, name, facts);
    if (context.flags.dryRun === true) return context.output.result(`${name}: ${done}`, { done });
    const { checks, probes } = await probePods(context, fleet, access);
    const text = probes.map(({ node, address }) => `${node} ${address}`).join(', ');
    const result = `${checksText(checks)}\n\n${name}: ${done}; pods got ${text}`;
    context.output.record({ checks });
    context.output.result(result, { cni: name, done, probes, checks });
    requireValid(checks, 'deploy', 'ciliumship cni status');
  },
};

async function factsOfAll(context: Context, fleet: Fleet): Promise<readonly NodeFacts[]> {
  const { results, failures } = await readFleetFacts(context, fleet);
  const missing = new Map([...fleet.failures, ...failures]);
  if (missing.size > 0) throw combineFailures('cni install', missing);
  return context.config.nodes.flatMap(({ name }) => results.get(name) ?? []);
}

/** Flannel and Antrea leave Services to kube-proxy. */
function noteProxy({ output }: Context, name: CniName, facts: readonly NodeFacts[]): void {
  const without = facts.filter(({ kubeProxy }) => !kubeProxy).map(({ node }) => node);
  if (name === 'cilium' || without.length === 0) return;
  output.note(
    `warning: no kube-proxy on ${without.join(', ')}: addresses of Services lead nowhere`,
  );
}

/** What was done, in a few words. */
async function install(
  context: Context,
  fleet: Fleet,
  access: ClusterAccess,
  name: CniName,
  facts: readonly NodeFacts[],
): Promise<string> {
  if (name === 'cilium') {
    const { state, revision } = await installCilium(context, fleet, access, facts);
    return revision === undefined ? state : `${state}, revision ${revision}`;
  }
  const changed = await installManifest(context, fleet, access, name);
  if (context.flags.dryRun === true) return 'planned';
  return changed === 0 ? 'nothing to do' : `${changed} objects applied`;
}
