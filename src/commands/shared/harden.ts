import { hardenStep, type Hardened, type HardenedNode } from '../../cluster/harden.ts';
import { devicesOf, hardenRefusal } from '../../cluster/harden-guard.ts';
import { persistence, unwritten, type Keeper } from '../../cluster/harden-persist.ts';
import { settingsOf, type Hardening } from '../../cluster/harden-plan.ts';
import { combineFailures } from '../../core/errors.ts';
import type { Node } from '../../core/node.ts';
import type { Argv } from '../../core/remote.ts';
import type { Step } from '../../core/step.ts';
import { readNodeFacts } from '../../facts/node-facts.ts';
import { readOffloads } from '../../facts/offloads.ts';
import { runStage, settleStage } from '../../output/stage.ts';
import type { Session } from '../../system/ssh/session.ts';
import type { Context } from '../command.ts';
import { connectTo, type Fleet } from './fleet.ts';
import { lockFleet } from './lock.ts';
import { acting, looking } from './stages.ts';

export interface HardenOptions {
  readonly hardening: Hardening;
  readonly persist: boolean;
  /** Milliseconds. */
  readonly deadMan: number;
}

/**
 * Hardens nodes one after the other; the first that does not answer any more stops the rest.
 *
 * @throws ShipError `usage` when a guard refuses on any node, `network`, `locked`
 */
export async function hardenAll(
  context: Context,
  fleet: Fleet,
  nodes: readonly Node[],
  options: HardenOptions,
): Promise<readonly HardenedNode[]> {
  const looks = nodes.map((node) => lookStep(context, node, sessionOf(fleet, node), options));
  const looked = await runStage('Look', looks, looking(context));
  await using locked = await lockFleet(context, fleet);
  if (locked.failures.size > 0) throw combineFailures('harden', locked.failures);
  const inOrder = nodes.flatMap(({ name }) => looked.get(name) ?? []);
  const steps = inOrder.map((found) =>
    hardenStep({ ...found, remote: sessionOf(locked, found.node) }),
  );
  const oneByOne = { ...acting(context), concurrency: 1, stopAtFailure: true };
  const { results, failures } = await settleStage('Harden', steps, oneByOne);
  if (failures.size > 0) throw combineFailures('harden', failures);
  return inOrder.map((hardened) => results.get(hardened.node.name) ?? as(hardened));
}

/** In a dry run: what it is, and what would be. */
function as(hardened: Hardened): HardenedNode {
  const { node, devices, hardening } = hardened;
  const settings = devices.flatMap((at) => settingsOf(node.name, at, hardening));
  return {
    node: node.name,
    settings: settings.map((setting) => ({ ...setting, after: setting.before })),
    persisted: [],
  };
}

function sessionOf({ sessions }: Fleet, { name }: Node): Session {
  const session = sessions.get(name);
  if (session === undefined) throw new Error(`no session of ${name}`);
  return session;
}

/** Looks at a node and refuses what may not be done there. */
function lookStep(
  context: Context,
  node: Node,
  session: Session,
  { hardening, persist, deadMan }: HardenOptions,
): Step<Hardened> {
  return {
    id: node.name,
    title: `look at ${node.name}`,
    run: async ({ signal }) => {
      const [facts, agent] = await Promise.all([
        readNodeFacts(session, signal),
        session.run(AGENT, { sudo: true, signal, accept: [1] }),
      ]);
      const no = hardenRefusal(node, facts, agent.code === 0);
      if (no !== undefined) throw no;
      const devices = await Promise.all(
        devicesOf(node).map((device) => readOffloads(session, device, signal)),
      );
      const keeper = persist ? await keeperOf(session, signal) : undefined;
      const lasting = devices.flatMap((at) =>
        keeper === undefined ? [] : persistence(keeper, at, settingsOf(node.name, at, hardening)),
      );
      return {
        node,
        remote: session,
        hardening,
        writings: await unwritten(session, lasting, signal),
        devices,
        deadMan,
        connect: (until) => connectTo(node, context, until),
      };
    },
    describe: ({ devices }) => `${node.name} ${devices.map(({ device }) => device).join(', ')}`,
  };
}

const AGENT: Argv = ['pgrep', '-x', 'cilium-agent'];

/** wicked sets interfaces up after udev, and would win. */
async function keeperOf(session: Session, signal: AbortSignal): Promise<Keeper> {
  const argv: Argv = ['systemctl', 'is-active', '--quiet', 'wicked'];
  const { code } = await session.run(argv, { sudo: true, signal, accept: [3, 4] });
  return code === 0 ? 'wicked' : 'udev';
}
