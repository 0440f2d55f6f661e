import type { CommandSpec } from './command.ts';
import { openClusterAccess } from './shared/cluster.ts';
import { openDocker } from './shared/docker.ts';
import { connectFleet } from './shared/fleet.ts';
import { exportImages, findBuilt } from './shared/images.ts';
import { openBlobStore } from './shared/store.ts';
import { shippedOf } from './shared/placed.ts';
import { selectNodes } from './shared/nodes.ts';
import { checksText, requireValid } from './shared/checks.ts';
import { validateNodes } from './shared/validate-nodes.ts';

export const validate: CommandSpec = {
  name: 'validate',
  summary: 'check on every node that what was built is what works',
  description:
    'Looks at each node: does the agent run the built image, are agent and operator ready, is XDP attached in native mode to the data interface, has cilium_vxlan the configured MTU, does the agent say that acceleration is active. Each check shows what was wanted and found, and what to do. Exit 3 when a check failed.',
  examples: [
    ['ciliumship validate', 'check every node'],
    ['ciliumship validate --nodes worker -o json', 'one node, for a script'],
  ],
  run: async (context) => {
    const docker = await openDocker(context);
    await using store = await openBlobStore(context);
    const built = await findBuilt(context, docker);
    const images = await exportImages(context, docker, built, store);
    const nodes = selectNodes(context.config.nodes, context.flags.nodes);
    await using fleet = await connectFleet(context, nodes);
    await using access = await openClusterAccess(context, fleet);
    const checks = await validateNodes(
      context,
      fleet,
      access.cluster,
      shippedOf(context.config, images),
    );
    context.output.result(checksText(checks), checks);
    requireValid(checks, 'drift');
  },
};
