import { combineFailures, ShipError } from '../../core/errors.ts';
import type { Role } from '../../core/node.ts';
import type { Step } from '../../core/step.ts';
import { readNodeFacts } from '../../facts/node-facts.ts';
import { readNodeSetup } from '../../facts/node-setup.ts';
import type { Machine, NamedNode } from '../../init/machine.ts';
import { settleStage } from '../../output/stage.ts';
import type { Asker } from '../../system/ask.ts';
import { sshAliases } from '../../system/ssh/aliases.ts';
import type { Session } from '../../system/ssh/session.ts';
import { connectFleet, type Reaching } from './fleet.ts';
import { looking } from './stages.ts';

const NAMED = /^(?:([^=]+)=)?(?:(server|agent)@)?(.+)$/;
const NAME = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;
/** More hosts than that are not all nodes of one cluster. */
const MAX_PROPOSED = 8;

/**
 * The nodes that were named by `--node`, or by the answer to a question.
 *
 * @param asker undefined when nobody can be asked
 * @throws ShipError `usage` when there is none, or one is not written as it should be
 */
export async function chooseNodes(
  typed: readonly string[],
  sshConfig: string | undefined,
  asker: Asker | undefined,
): Promise<readonly NamedNode[]> {
  if (typed.length > 0 || asker === undefined) return namedNodes(typed, sshConfig);
  return asker.until(async () => namedNodes(await askNodes(sshConfig, asker), sshConfig));
}

function namedNodes(words: readonly string[], sshConfig: string | undefined): readonly NamedNode[] {
  if (words.length === 0) throw noNodes(sshAliases(sshConfig));
  const nodes = words.map(parseNode);
  const twice = nodes.find(({ name }, at) => nodes.findIndex((one) => one.name === name) !== at);
  if (twice === undefined) return nodes;
  throw new ShipError('usage', `--node: two nodes are named ${twice.name}`, {
    hint: `give each a name of its own: --node NAME=${twice.ssh}`,
  });
}

async function askNodes(sshConfig: string | undefined, asker: Asker): Promise<readonly string[]> {
  const known = sshAliases(sshConfig);
  const proposed = known.length > 0 && known.length <= MAX_PROPOSED ? known.join(' ') : undefined;
  const answer = await asker.ask(
    'Nodes, as ssh knows them (or NAME=agent@SSH), the server first, spaces between',
    proposed,
  );
  return answer.split(/[\s,]+/).filter((word) => word !== '');
}

function noNodes(known: readonly string[]): ShipError {
  const hosts = known.length === 0 ? 'SSH' : (known[0] ?? '');
  return new ShipError('usage', 'no node is named', {
    ...(known.length === 0
      ? {}
      : { details: [`hosts of your ssh configuration: ${known.slice(0, 20).join(', ')}`] }),
    hint: `name each, the server first: ciliumship init --yes --node ${hosts} --node NAME=agent@USER@HOST`,
  });
}

/**
 * Reads `SSH`, `NAME=SSH` or `NAME=ROLE@SSH`. Without a name it is the host's own first word.
 *
 * @throws ShipError `usage`
 */
export function parseNode(text: string): NamedNode {
  const [, given, role, ssh = ''] = NAMED.exec(text) ?? [];
  const host = ssh.replace(/^.*@/, '').replace(/:\d+$/, '');
  const name = given ?? (/^[\d.:[\]]+$/.test(host) ? '' : (host.split('.')[0] ?? '')).toLowerCase();
  if (NAME.test(name)) return { name, ssh, role: role as Role | undefined };
  throw new ShipError('usage', `--node ${text}: "${name}" is no name of a node`, {
    hint: `write lowercase letters, digits, "-" and ".": --node NAME=${ssh}`,
  });
}

/**
 * Reaches every node and asks what it is. Half a cluster makes no config: all must answer.
 *
 * @throws ShipError of the highest class of all that could not be reached or asked
 */
export async function readMachines(
  context: Reaching,
  nodes: readonly NamedNode[],
): Promise<readonly Machine[]> {
  await using fleet = await connectFleet(context, nodes);
  if (fleet.failures.size > 0) throw combineFailures('init', fleet.failures);
  const steps = nodes.flatMap((node) => {
    const session = fleet.sessions.get(node.name);
    return session === undefined ? [] : [lookStep(node, session)];
  });
  const settled = await settleStage('Look', steps, looking(context));
  if (settled.failures.size > 0) throw combineFailures('init', settled.failures);
  return nodes.flatMap(({ name }) => settled.results.get(name) ?? []);
}

function lookStep(node: NamedNode, session: Session): Step<Machine> {
  return {
    id: node.name,
    title: `look at ${node.name}`,
    run: async ({ signal }) => {
      const [facts, setup] = await Promise.all([
        readNodeFacts(session, signal),
        readNodeSetup(session, signal),
      ]);
      return { ...node, facts, setup };
    },
    describe: ({ facts }) => `${node.name} ${facts.os.name}`,
  };
}
