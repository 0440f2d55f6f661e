import { Argument, InvalidArgumentError } from 'commander';
import { ShipError } from '../core/errors.ts';
import { parseRecord, recordName } from '../drift/record.ts';
import { kubernetesRights, sudoersText } from '../drift/rights.ts';
import { IMAGE_PROBES } from '../transfer/probe.ts';
import type { CommandSpec, Context } from './command.ts';
import { option } from './flags.ts';
import { openClusterAccess, releaseOf } from './shared/cluster.ts';
import { connectFleet } from './shared/fleet.ts';

interface RightsFlags {
  readonly user?: string;
  readonly k3s?: string;
}

export const driftRights: CommandSpec<RightsFlags> = {
  name: 'drift rights',
  summary: 'print the least rights that drift needs, for a CI job',
  description:
    'Prints a sudoers file with exactly the commands that drift runs on a node, or a Kubernetes service account with get and list on exactly the kinds of objects that drift compares, as the last rollout recorded them. Neither can change anything or read a Secret. Without one of these rights drift says unknown where it would have looked. Nothing is installed: read it, then apply it.',
  examples: [
    ['ciliumship drift rights sudoers --user drift > ciliumship-drift', 'for every node'],
    ['ciliumship drift rights kubernetes | kubectl apply -f -', 'for the cluster'],
  ],
  args: [
    new Argument('<what>', 'which rights: sudoers, kubernetes').choices(['sudoers', 'kubernetes']),
  ],
  options: [
    option('--user <name>', 'SSH user of drift (default: drift)').argParser(
      matching(/^[a-z_][a-z0-9_-]{0,31}$/, 'Write the name of a user.'),
    ),
    option('--k3s <path>', 'of k3s on the nodes (default: /usr/local/bin/k3s)').argParser(
      matching(/^(\/[A-Za-z0-9._-]+)+$/, 'Write an absolute path.'),
    ),
  ],
  run: async (context) => {
    const { user = 'drift', k3s = '/usr/local/bin/k3s' } = context.flags;
    const [what] = context.args;
    const text =
      what === 'sudoers' ? sudoersText(user, IMAGE_PROBES, k3s) : await rightsOf(context);
    context.output.result(text.trimEnd(), { [what ?? '']: text });
  },
};

async function rightsOf(context: Context): Promise<string> {
  const { name, namespace } = releaseOf(context);
  await using fleet = await connectFleet(context, []);
  await using access = await openClusterAccess(context, fleet);
  const data = await access.cluster.configMap(namespace, recordName(name));
  const record = data === undefined ? undefined : parseRecord(data);
  if (record === undefined) {
    throw new ShipError('config', `no rollout of ${name} was recorded in namespace ${namespace}`, {
      hint: 'roll out once, with nothing changed too: ciliumship deploy',
    });
  }
  return kubernetesRights(namespace, await access.cluster.objects(namespace, record.manifest));
}

function matching(pattern: RegExp, says: string): (text: string) => string {
  return (text) => {
    if (pattern.test(text)) return text;
    throw new InvalidArgumentError(says);
  };
}
