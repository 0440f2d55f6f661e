import { mkdir, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { mergeKubeconfig } from '../cluster/kubeconfig.ts';
import { combineFailures, ShipError } from '../core/errors.ts';
import type { Node } from '../core/node.ts';
import { dataAddress } from '../facts/node-facts.ts';
import { readIfThere, replaceFile } from '../system/replace-file.ts';
import type { CommandSpec, Context } from './command.ts';
import { connectFleet } from './shared/fleet.ts';
import { K3S_KUBECONFIG, secretsOf } from './shared/kubeconfig.ts';

export const k3sKubeconfig: CommandSpec = {
  name: 'k3s kubeconfig',
  summary: 'write the cluster into your kubeconfig, under a name of its own',
  description:
    'Reads the admin’s kubeconfig from the first server node and merges it into yours: the file of --kubeconfig, else the first of KUBECONFIG, else ~/.kube/config, which gets mode 0600. Cluster, user and context are named by --context (default: k3s- and the name of the server); what has this name already is replaced when it is the same cluster, and refused when it is another. All else in the file stays as it is, the current context too. The address is the server’s externalAddress, else its data address. ciliumship itself does not need this: it reaches the API server through SSH.',
  examples: [
    ['ciliumship k3s kubeconfig', 'then: kubectl --context k3s-master get nodes'],
    ['ciliumship k3s kubeconfig --kubeconfig lab.yaml --context lab', 'into a file of its own'],
  ],
  run: async (context) => {
    const server = serverOf(context);
    const name = { context: context.flags.context ?? `k3s-${server.name}`, server: urlOf(server) };
    const given = await readAdmin(context, server);
    for (const secret of secretsOf(given)) context.output.hide(secret);
    const file = await fileOf(context.flags.kubeconfig ?? process.env['KUBECONFIG']);
    const before = await readIfThere(file);
    const merged = mergeKubeconfig(before, given, name);
    const changes = merged !== before;
    if (changes && context.flags.dryRun !== true) await write(file, merged);
    const state = changes ? stateOf(context.flags.dryRun === true) : 'is already in';
    const text = `context ${name.context} (${name.server}) ${state} ${file}`;
    context.output.result(`${text}\n\nkubectl --context ${name.context} get nodes`, {
      file,
      ...name,
      changed: changes,
    });
  },
};

function stateOf(dryRun: boolean): string {
  return dryRun ? 'would be written into' : 'was written into';
}

function serverOf({ config }: Context): Node {
  const server = config.nodes.find(({ role }) => role === 'server');
  if (server !== undefined) return server;
  throw new ShipError('config', 'the config has no server node', { hint: 'add one: role: server' });
}

/** @throws ShipError `config` when the config says no address of it */
function urlOf(server: Node): string {
  const address = server.externalAddress ?? dataAddress(server);
  if (address !== undefined) {
    return `https://${address.includes(':') ? `[${address}]` : address}:6443`;
  }
  throw new ShipError('config', `${server.name}: the config names no address of it`, {
    hint: `set nodes.${server.name}.dataAddress or externalAddress`,
  });
}

async function readAdmin(context: Context, server: Node): Promise<string> {
  await using fleet = await connectFleet(context, [server]);
  const session = fleet.sessions.get(server.name);
  if (session === undefined) throw combineFailures('k3s kubeconfig', fleet.failures);
  const options = { sudo: true, signal: context.signal, accept: [1] };
  const { code, stdout } = await session.run(['cat', K3S_KUBECONFIG], options);
  if (code === 0) return stdout;
  throw new ShipError('config', `${server.name}: has no ${K3S_KUBECONFIG}`, {
    hint: 'install K3s first: ciliumship k3s install',
  });
}

/** Behind a link that dotfiles may be, so that the link stays. */
async function fileOf(given: string | undefined): Promise<string> {
  const first = given?.split(delimiter).find((file) => file !== '');
  const file = first ?? join(homedir(), '.kube', 'config');
  return realpath(file).catch(() => file);
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await replaceFile(file, text, 0o600);
}
