import { basename } from 'node:path';
import { REPORT_FORMATS } from '../output/report.ts';
import type { CommandSpec } from './command.ts';
import { option } from './flags.ts';
import { openClusterAccess } from './shared/cluster.ts';
import { connectFleet } from './shared/fleet.ts';
import { timeoutOf } from './shared/timeout.ts';
import { shippedOf } from './shared/placed.ts';
import { shippedImages } from './shared/shipped-images.ts';
import { selectNodes } from './shared/nodes.ts';
import { checksText, requireValid } from './shared/checks.ts';
import { validateNodes } from './shared/validate-nodes.ts';

interface ValidateFlags {
  readonly wait?: boolean;
}

export const validate: CommandSpec<ValidateFlags> = {
  name: 'validate',
  summary: 'check on every node that what was shipped is what works',
  description:
    'Looks at each node, in the kernel and through its agent, and needs both to agree: does the agent run the shipped image; are agent, envoy and operator ready; does the agent call itself well; is XDP attached in native mode to the data interface, and does the agent say the same; is each program once at its hook; have the tunnel (cilium_vxlan or cilium_geneve) and the routes to pods the configured MTU; did the agent choose the devices of the config; does it reach the API server and the other nodes; does any pod wait for a network. Each check has an id and shows what was wanted and found, and what to do. Exit 3 when a check failed.',
  examples: [
    ['ciliumship validate', 'check every node'],
    ['ciliumship validate --wait --timeout 2m', 'give the cluster time to come to it'],
    ['ciliumship validate --nodes worker -o json', 'one node, for a script'],
    ['ciliumship validate -o junit > validate.xml', 'for a CI server'],
  ],
  formats: REPORT_FORMATS,
  options: [option('--wait', 'look again until nothing failed, --timeout at the longest')],
  run: async (context) => {
    const images = await shippedImages(context);
    const nodes = selectNodes(context.config.nodes, context.flags.nodes);
    await using fleet = await connectFleet(context, nodes);
    await using access = await openClusterAccess(context, fleet);
    const checks = await validateNodes(
      context,
      fleet,
      access.cluster,
      shippedOf(context.config, images),
      context.flags.wait === true ? timeoutOf(context) : 0,
    );
    const report = { name: 'validate', checks, file: basename(context.config.file) };
    context.output.result(checksText(checks), checks, report);
    requireValid(checks, 'drift');
  },
};
