import { shortDigest } from '../core/digest.ts';
import { AGENT_CONTAINER, runningImage } from '../deploy/agents.ts';
import type { Facts } from '../output/receipt/schema.ts';
import { textTable } from '../output/table.ts';
import type { CommandSpec } from './command.ts';
import { option } from './flags.ts';
import { beginDeploy } from './shared/begin-deploy.ts';
import { deployImages, type Deployed } from './shared/deploy-images.ts';
import { rolloutOptions, type DeployFlags } from './shared/deploy-flags.ts';
import { localChart } from './shared/chart.ts';
import { refuseNarrowing } from './shared/nodes.ts';
import { runHook } from './shared/hooks.ts';
import { frozenOption, releaseLock } from './shared/lock-file.ts';
import { imagesToRollOut, type LockedFlag } from './shared/shipped-images.ts';
import { requireWellWritten } from './shared/values.ts';

export const deploy: CommandSpec<DeployFlags & LockedFlag> = {
  name: 'deploy',
  summary: 'roll out what was shipped, one node at a time',
  description:
    'Takes the images that ciliumship.lock says were shipped, and refuses while Docker has another build of them that was not (--locked passes over it). Renders the chart with your values and these images over them, refuses when any image of it is missing on a node that may have to run it, and upgrades with Helm without letting Helm or the DaemonSet choose the order: agents are replaced one node at a time, the canary first, and each must be ready, stay ready, run the shipped bytes, pass the checks of validate and your own --gate before the next one is touched. When one fails, evidence is saved under .ciliumship/evidence and the last finished revision is brought back (exit 9).',
  examples: [
    ['ciliumship deploy --values cilium-values.yaml', 'roll out with this values file'],
    ['ciliumship deploy --dry-run', 'check everything and print what would be done'],
    ['ciliumship deploy --canary worker', 'replace the agent of this node first'],
    ['ciliumship deploy --count-lost', 'and say how many pings between pods were lost meanwhile'],
    [
      'ciliumship deploy --gate \'./smoke-test.sh "$CILIUMSHIP_NODE"\'',
      'ask a test of your own about each node before the next',
    ],
  ],
  options: [
    ...rolloutOptions,
    frozenOption,
    option('--locked', 'roll out what ciliumship.lock says was shipped, whatever Docker has'),
  ],
  receipt: true,
  hooks: ['before-deploy', 'after-deploy', 'on-failure'],
  run: async (typed) => {
    await using chart = await localChart(typed);
    const { context } = chart;
    refuseNarrowing(context.flags.nodes);
    await requireWellWritten(context);
    await using begun = await beginDeploy(context, imagesToRollOut);
    const { images, place } = begun;
    const deployed = await deployImages(context, place, images, releaseLock);
    const data = deployedData(deployed);
    context.output.record({ deploy: data });
    context.output.result(deployedText(deployed), data);
    await runHook(context, 'after-deploy');
  },
};

/** What runs after a deploy, for people. */
export function deployedText({ state, revision, agents }: Deployed): string {
  const rows = agents.map((pod) => {
    const image = runningImage(pod, AGENT_CONTAINER);
    return [pod.node ?? '', pod.name, image === undefined ? '' : shortDigest(image)];
  });
  const runs = revision === undefined ? 'nothing runs yet' : `revision ${revision} still runs`;
  const done = revision === undefined ? state : `${state}: revision ${revision}`;
  const head = state === 'planned' ? `planned only: ${runs}` : done;
  return `${textTable(['node', 'agent', 'image'], rows)}\n\n${head}`;
}

/** The same for machines. */
export function deployedData(deployed: Deployed): NonNullable<Facts['deploy']> {
  const { state, revision, agents, traffic } = deployed;
  return {
    state,
    revision,
    ...(traffic === undefined ? {} : { traffic }),
    agents: agents.map((pod) => ({
      node: pod.node,
      pod: pod.name,
      uid: pod.uid,
      image: runningImage(pod, AGENT_CONTAINER),
    })),
  };
}
