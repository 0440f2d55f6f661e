import type { Probe } from '../../cluster/cni/probe.ts';
import { added, countLost, type Traffic } from '../../cluster/cni/traffic.ts';
import { toShipError } from '../../core/errors.ts';
import { AGENT_SELECTOR } from '../../deploy/agents.ts';
import type { Context } from '../command.ts';
import { releaseOf, type ClusterAccess } from './cluster.ts';
import type { DeployFlags } from './deploy-flags.ts';
import type { Fleet } from './fleet.ts';
import { removeProbes, startProbes } from './probe-pods.ts';

/**
 * Runs `act` while pods of every node ping those of every other one, when `--count-lost` asks for it,
 * and says how many pings were lost. Counting hinders no rollout: what it fails over is said.
 *
 * @returns undefined when nothing was counted
 * @throws what `act` throws
 */
export async function countingLost(
  context: Context<DeployFlags>,
  fleet: Fleet,
  access: ClusterAccess,
  act: () => Promise<void>,
): Promise<Traffic | undefined> {
  if (context.flags.countLost !== true || context.flags.dryRun === true) {
    await act();
    return undefined;
  }
  try {
    const probes = await someProbes(context, fleet, access).catch((error: unknown) =>
      nothing(context, error),
    );
    return await counted(context, fleet, probes ?? [], act);
  } finally {
    await removeProbes(context, access);
  }
}

/** Without an agent there is no network to lose anything in. */
async function someProbes(
  context: Context,
  fleet: Fleet,
  access: ClusterAccess,
): Promise<readonly Probe[]> {
  const { namespace } = releaseOf(context);
  const agents = await access.cluster.pods(namespace, AGENT_SELECTOR);
  if (agents.some(({ ready }) => ready)) return startProbes(context, fleet, access);
  context.output.note('lost pings are not counted: no agent runs yet');
  return [];
}

async function counted(
  context: Context,
  fleet: Fleet,
  probes: readonly Probe[],
  act: () => Promise<void>,
): Promise<Traffic | undefined> {
  const stop = new AbortController();
  const bounds = { stop: stop.signal, signal: context.signal };
  const pings = waysBetween(probes).map(async ([from, to]) => {
    const remote = fleet.sessions.get(from.node);
    return remote === undefined ? undefined : countLost(from, to, remote, bounds);
  });
  const counting = Promise.all(pings).catch((error: unknown) => nothing(context, error));
  try {
    await act();
  } finally {
    stop.abort();
  }
  const ways = (await counting)?.flatMap((way) => way ?? []) ?? [];
  if (ways.length === 0) return undefined;
  const all = ways.reduce(added);
  context.output.note(
    `between pods of different nodes ${all.sent} pings were sent, ${all.lost} lost`,
  );
  return all;
}

/** Every ordered pair of probes. */
function waysBetween(probes: readonly Probe[]): readonly (readonly [Probe, Probe])[] {
  return probes.flatMap((from) =>
    probes.filter((to) => to.node !== from.node).map((to) => [from, to] as const),
  );
}

function nothing({ signal, output }: Context, error: unknown): undefined {
  signal.throwIfAborted();
  output.note(`lost pings are not counted: ${toShipError(error).message}`);
  return undefined;
}
