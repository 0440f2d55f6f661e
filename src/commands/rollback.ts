import { InvalidArgumentError } from 'commander';
import type { Node } from '../core/node.ts';
import type { CommandSpec, Context } from './command.ts';
import { option } from './flags.ts';
import { openClusterAccess } from './shared/cluster.ts';
import { canaryOption, repairOption, type DeployFlags } from './shared/deploy-flags.ts';
import { connectFleet } from './shared/fleet.ts';
import { recordLive } from './shared/live-release.ts';
import { refuseNarrowing } from './shared/nodes.ts';
import { whileLeased } from './shared/release.ts';
import { rollBack } from './shared/roll-back.ts';
import { checksText, requireValid } from './shared/checks.ts';
import { SETTLING, validateNodes } from './shared/validate-nodes.ts';

export interface RollbackFlags extends DeployFlags {
  readonly to?: number;
}

export const rollback: CommandSpec<RollbackFlags> = {
  name: 'rollback',
  summary: 'bring an earlier revision back, one node at a time',
  description:
    'Goes back to the last finished revision that differs from what runs, undoes a rollout that was not finished, or finishes a rollback that was not. Refuses unless every node has the images of that revision, complete and pinned; those that a node lost are shipped again first, as far as the blob store of this machine still holds them. Needs no pod network: the API server and the nodes are reached by their management addresses. Profiles and devices of the nodes go back with the revision, to what they were when it ran. Each agent must be ready, stay ready and run the bytes of that revision before the next one is touched, also where the DaemonSet of that revision would replace several at once; what runs is checked at the end.',
  examples: [
    ['ciliumship rollback', 'to the finished revision before this one'],
    ['ciliumship rollback --to 4', 'to revision 4 of helm history'],
    ['ciliumship rollback --dry-run', 'say where it would go, and check the images'],
  ],
  options: [
    option('--to <revision>', 'revision of helm history (default: the one before)').argParser(
      parseRevision,
    ),
    canaryOption,
    repairOption,
  ],
  wordMeans: '--to',
  receipt: true,
  run: async (context) => {
    const { flags, output } = context;
    refuseNarrowing(flags.nodes);
    await using fleet = await connectFleet(context, context.config.nodes);
    await using access = await openClusterAccess(context, fleet);
    const { revision, shipped, nodes } = await whileLeased(context, access, async (leased, own) => {
      const back = await rollBack(leased, fleet, own);
      if (flags.dryRun !== true) await recordLive(leased, own);
      return back;
    });
    if (flags.dryRun === true) {
      output.result(`would go back to revision ${revision}`, { state: 'planned', revision });
      return;
    }
    noteDevices(context, nodes);
    const asItRuns = { ...context, config: { ...context.config, nodes } };
    const checks = await validateNodes(asItRuns, fleet, access.cluster, shipped, SETTLING);
    output.result(`${checksText(checks)}\n\nrevision ${revision} runs again`, {
      state: 'rolled back',
      revision,
      checks,
    });
    requireValid(checks, 'deploy');
  },
};

/** What went back here is still in the config. */
function noteDevices({ config, output }: Context, nodes: readonly Node[]): void {
  for (const [index, { name, devices }] of nodes.entries()) {
    const said = config.nodes[index]?.devices ?? [];
    if (said.join(' ') === devices.join(' ')) continue;
    output.note(
      `${name}: devices ${namesOf(devices)} again; the config still says ${namesOf(said)}, and the next deploy sets those`,
    );
  }
}

function namesOf(devices: readonly string[]): string {
  return devices.length === 0 ? 'of Cilium’s own choice' : devices.join(' ');
}

/** @throws InvalidArgumentError that commander reports as a usage error */
function parseRevision(text: string): number {
  const revision = Number(text);
  if (Number.isSafeInteger(revision) && revision > 0) return revision;
  throw new InvalidArgumentError('Write the number of a revision, as helm history shows it.');
}
