import { nodesTable, sentSummary } from '../output/receipt/text.ts';
import type { CommandSpec } from './command.ts';
import { deployedData } from './deploy.ts';
import { openClusterAccess } from './shared/cluster.ts';
import { deployImages } from './shared/deploy-images.ts';
import { rolloutOptions, type DeployFlags } from './shared/deploy-flags.ts';
import { localChart } from './shared/chart.ts';
import { whileFitting } from './shared/begin-deploy.ts';
import { openDocker } from './shared/docker.ts';
import { lockImages, releaseLock } from './shared/lock-file.ts';
import { shippedOf } from './shared/placed.ts';
import { makeReady } from './shared/make-ready.ts';
import { refuseNarrowing } from './shared/nodes.ts';
import { runHook } from './shared/hooks.ts';
import {
  buildImages,
  DRY_RUN,
  endUnbuilt,
  exportImages,
  findExtra,
  isUnbuilt,
  readSource,
} from './shared/images.ts';
import { requireAll, shippedData } from './shared/report.ts';
import {
  runningImages,
  runningTable,
  requireRunning,
  runsWhatWasBuilt,
  type RunningImage,
} from './shared/running.ts';
import { requireWellWritten } from './shared/values.ts';
import { dropSuperseded } from './shared/prune.ts';
import { sbomOption, writeSboms, type SbomFlag } from './shared/sbom.ts';
import { shipImages } from './shared/ship-images.ts';
import { openBlobStore, tidyStore } from './shared/store.ts';
import { checksText, requireValid } from './shared/checks.ts';
import { SETTLING, validateNodes } from './shared/validate-nodes.ts';

export const ship: CommandSpec<DeployFlags & SbomFlag> = {
  name: 'ship',
  summary: 'build, push, deploy and validate in one go',
  description:
    'From the source tree to agents that run it: builds, sends each node only what it lacks, proves it there, rolls out one node at a time and checks the result. Run again, it does only what is left. Nothing is deployed unless every node has proved every image.',
  examples: [
    ['ciliumship ship', 'the whole way'],
    ['ciliumship ship --dry-run', 'with the images that Docker has now, print what would be done'],
  ],
  options: [...rolloutOptions, sbomOption],
  receipt: true,
  hooks: ['before-push', 'after-push', 'before-deploy', 'after-deploy', 'on-failure'],
  run: async (typed) => {
    await using chart = await localChart(typed);
    const { context } = chart;
    const { output, flags } = context;
    refuseNarrowing(context.flags.nodes);
    // Before minutes of work: what is wrong with the values stops the last part of it.
    await requireWellWritten(context);
    const docker = await openDocker(context);
    const source = await readSource(context);
    const built = await whileFitting(context, (bound) => buildImages(bound, docker, source));
    if (isUnbuilt(context, built)) return endUnbuilt(context);
    const wanted = [...built.images, ...(await findExtra(context, docker))];
    await using store = await openBlobStore(context);
    await using made = await makeReady(
      context,
      context.config.nodes,
      store,
      async (into, landed) => ({
        images: await exportImages(context, docker, wanted, into, landed),
      }),
      false,
    );
    const { fleet } = made;
    const { images } = made.ready;
    const shipped = await shipImages(context, fleet, images, store, made);
    await lockImages(context, images, shipped, built.tree);
    await writeSboms(context, images, store);
    const nodes = shippedData(shipped, images);
    if (shipped.some(({ state }) => state === 'failed')) {
      output.result(nodesTable(nodes), { nodes });
      requireAll('push', shipped);
    }
    if (flags.dryRun === true && shipped.some(({ state }) => state === 'planned')) {
      output.result(nodesTable(nodes), { nodes });
      output.note('the deploy cannot be planned before the images are on the nodes');
      return;
    }
    await runHook(context, 'after-push');
    await runHook(context, 'before-deploy');
    await using access = await openClusterAccess(context, fleet);
    const deployed = await deployImages(context, { fleet, access }, images, releaseLock);
    output.record({ deploy: deployedData(deployed) });
    const checks =
      deployed.state === 'planned'
        ? []
        : await validateNodes(
            context,
            fleet,
            access.cluster,
            shippedOf(context.config, images),
            SETTLING,
          );
    const pods = await access.cluster.pods(deployed.namespace, '');
    const running = runningImages(images, shipped, pods);
    await dropSuperseded(context, fleet, shipped, async () => access);
    await tidyStore(context, store, images);
    const open = checks.filter(({ state }) => state !== 'ok');
    const text = [
      runningTable(running),
      ...(open.length === 0 ? [] : [checksText(open)]),
      verdict(running, deployed.state, sentSummary(nodes, images.length)),
    ];
    output.result(text.join('\n\n'), {
      source: { commit: built.tree.commit, changed: built.tree.changed },
      images: running,
      nodes,
      deploy: deployedData(deployed),
      checks,
    });
    requireValid(checks, 'deploy');
    if (deployed.state !== 'planned') requireRunning(running);
    await runHook(context, 'after-deploy');
  },
};

/** The one line that a person looks for. */
function verdict(running: readonly RunningImage[], state: string, sent: string): string {
  if (state === 'planned') return DRY_RUN;
  const same = runsWhatWasBuilt(running);
  return `${same ? 'what runs is what was built' : 'some containers run other bytes'} · ${sent}`;
}
