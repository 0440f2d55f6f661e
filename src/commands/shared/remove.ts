import { actionsFor, removeStep, type Removed } from '../../cluster/reset/step.ts';
import { refusal } from '../../cluster/reset/guard.ts';
import type { Phase } from '../../cluster/reset/phase.ts';
import { combineFailures, type ShipError } from '../../core/errors.ts';
import { kubernetesName, type Node } from '../../core/node.ts';
import type { Step } from '../../core/step.ts';
import { readRemains, type Remains } from '../../facts/remains.ts';
import { runStage, settleStage } from '../../output/stage.ts';
import { wrap } from '../../output/wrap.ts';
import type { Session } from '../../system/ssh/session.ts';
import type { Context } from '../command.ts';
import { requireConfirmed } from './confirm.ts';
import type { Fleet } from './fleet.ts';
import { lockFleet } from './lock.ts';
import { acting, looking } from './stages.ts';

/** A removal: what it is called, what it does, and what stands in its way besides the guards. */
export interface Removal {
  /** The command: `reset`. */
  readonly what: string;
  readonly phases: readonly Phase[];
  readonly confirmed: readonly string[];
  readonly refuse?: (remains: Remains) => ShipError | undefined;
  /**
   * What is done to the cluster first, when no guard refused and all nodes are locked. Gets the context
   * whose signal ends with the locks.
   */
  readonly fromCluster?: (context: Context) => Promise<void>;
  /** True when nodes leave the cluster: a server that stays is told. */
  readonly leave: boolean;
}

/** What a removal came to on one node. */
export interface RemovedNode {
  readonly node: string;
  readonly state: 'nothing to do' | 'would be cleaned' | 'cleaned';
  /** In words: what was done, or would be. */
  readonly actions: readonly string[];
}

/**
 * Removes what is on nodes, agents before servers: shows it, has each node confirmed, and does
 * nothing at all when a guard refuses on one of them.
 *
 * @throws ShipError `usage` when a guard refuses or a node is not confirmed, `locked`, `storage`
 */
export async function removeFrom(
  context: Context,
  fleet: Fleet,
  nodes: readonly Node[],
  removal: Removal,
): Promise<readonly RemovedNode[]> {
  const { failures } = chosen(fleet, nodes);
  if (failures.size > 0) throw combineFailures(removal.what, failures);
  const remains = await readFleetRemains(context, chosen(fleet, nodes));
  refuseAll(remains, removal);
  const full = nodes.filter(({ name }) => planOf(removal, remains.get(name)).length > 0);
  showWhatGoes(context, full, remains, removal);
  const names = full.map(({ name }) => name);
  // What goes from the cluster is of all nodes, also of those that have nothing of it.
  const asked = removal.fromCluster === undefined ? names : nodes.map(({ name }) => name);
  await requireConfirmed(context, removal.what, asked, removal.confirmed);
  const forget = async (gone: readonly Node[]): Promise<void> => {
    if (removal.leave) await forgetNodes(context, fleet, gone);
  };
  const parting = { ...removal, forget };
  const done = await removeAll(context, chosen(fleet, nodes), full, remains, parting);
  await forget(full);
  return nodes.map(({ name }) =>
    resultOf(name, planOf(removal, remains.get(name)), done.get(name)),
  );
}

async function readFleetRemains(
  context: Context,
  { sessions }: Fleet,
): Promise<ReadonlyMap<string, Remains>> {
  const steps = [...sessions].map(([node, session]): Step<Remains> => ({
    id: node,
    title: `look what is on ${node}`,
    run: ({ signal }) => readRemains(session, signal),
    describe: () => node,
  }));
  return runStage('Look', steps, looking(context));
}

function refuseAll(remains: ReadonlyMap<string, Remains>, { what, refuse }: Removal): void {
  const failures = [...remains].flatMap(([node, found]) => {
    const no = refusal(found) ?? refuse?.(found);
    return no === undefined ? [] : [[node, no] as const];
  });
  if (failures.length > 0) throw combineFailures(what, new Map(failures));
}

/** What would be done on a node, in words. */
function planOf({ phases }: Removal, remains: Remains | undefined): readonly string[] {
  return remains === undefined ? [] : actionsFor(phases, remains).map(({ effect }) => effect);
}

/** What goes, for who is asked to confirm it. */
function showWhatGoes(
  { output }: Context,
  nodes: readonly Node[],
  remains: ReadonlyMap<string, Remains>,
  { phases, what }: Removal,
): void {
  for (const { name } of nodes) {
    const found = remains.get(name);
    if (found === undefined) continue;
    output.note(`${what} on ${name}:`);
    for (const { title, actions } of phases) {
      const effects = [...new Set(actions(found).map(({ effect }) => effect))];
      if (effects.length > 0) output.note(wrap(effects.join('; '), `  ${title}: `, '    '));
    }
    for (const volume of found.volumes) output.note(`  with the data of the volume ${volume}`);
  }
}

interface Parting extends Removal {
  /** Tells a server that stays. */
  readonly forget: (gone: readonly Node[]) => Promise<void>;
}

async function removeAll(
  context: Context,
  fleet: Fleet,
  nodes: readonly Node[],
  remains: ReadonlyMap<string, Remains>,
  { phases, what, fromCluster, forget }: Parting,
): Promise<ReadonlyMap<string, Removed>> {
  const touched = fromCluster === undefined ? chosen(fleet, nodes) : fleet;
  await using locked = await lockFleet(context, touched, { removesFolder: true });
  if (locked.failures.size > 0) throw combineFailures(what, locked.failures);
  const { signal } = context;
  await fromCluster?.({ ...context, signal: AbortSignal.any([signal, locked.lost]) });
  const stepOf = (node: Node): readonly Step<Removed>[] => {
    const [session, found] = [locked.sessions.get(node.name), remains.get(node.name)];
    if (session === undefined || found === undefined) return [];
    return [removeStep(session, phases, found, `clean ${node.name}`)];
  };
  const agents = nodes.filter(({ role }) => role === 'agent');
  const servers = nodes.filter(({ role }) => role === 'server');
  const first = await settleStage('Agents', agents.flatMap(stepOf), acting(context));
  // While they run: a database that lost half of its members takes no change. K3s keeps the node
  // until its database has let go of it.
  await forget(servers);
  const then = await settleStage('Servers', servers.flatMap(stepOf), acting(context));
  const failures = new Map([...first.failures, ...then.failures]);
  if (failures.size > 0) throw combineFailures(what, failures);
  return new Map([...first.results, ...then.results]);
}

/** The part of a fleet that nodes are in; a server that stays is connected only to tell it. */
function chosen(fleet: Fleet, nodes: readonly Node[]): Fleet {
  const sessions = new Map([...fleet.sessions].filter(([name]) => isAmong(nodes, name)));
  const failures = new Map([...fleet.failures].filter(([name]) => isAmong(nodes, name)));
  return { ...fleet, sessions, failures };
}

function isAmong(nodes: readonly Node[], name: string): boolean {
  return nodes.some((node) => node.name === name);
}

/** A server that stays would wait for nodes that are gone. What it says is no failure. */
async function forgetNodes(
  context: Context,
  { sessions }: Fleet,
  gone: readonly Node[],
): Promise<void> {
  const stays = context.config.nodes.find(
    ({ name, role }) => role === 'server' && sessions.has(name) && !isAmong(gone, name),
  );
  const session = sessions.get(stays?.name ?? '');
  if (session === undefined || gone.length === 0 || context.flags.dryRun === true) return;
  await runStage('Cluster', [forgetStep(session, gone)], acting(context));
}

function forgetStep(server: Session, gone: readonly Node[]): Step<string> {
  const names = gone.map(kubernetesName);
  return {
    id: server.node,
    title: `let the cluster forget ${names.join(', ')}`,
    run: async ({ signal }) => {
      const remove = [
        'delete',
        'node',
        '--ignore-not-found',
        '--timeout=20s',
        '--request-timeout=20s',
        ...names,
      ];
      const options = { sudo: true, signal, accept: [1, 126, 127] };
      const { code } = await server.run(['k3s', 'kubectl', ...remove], options);
      return code === 0 ? names.join(', ') : `${server.node} runs no K3s`;
    },
    describe: (text) => text,
  };
}

function resultOf(
  node: string,
  planned: readonly string[],
  done: Removed | undefined,
): RemovedNode {
  if (planned.length === 0) return { node, state: 'nothing to do', actions: [] };
  return done === undefined
    ? { node, state: 'would be cleaned', actions: planned }
    : { node, state: 'cleaned', actions: done.done };
}
