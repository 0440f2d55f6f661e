import { combineFailures, ShipError } from '../../core/errors.ts';
import { examine } from '../../doctor/examine.ts';
import { problemOf } from '../../doctor/find.ts';
import { mendStep, type Look, type Patient } from '../../doctor/mend.ts';
import type { Finding } from '../../doctor/problem.ts';
import { settleStage } from '../../output/stage.ts';
import type { Session } from '../../system/ssh/session.ts';
import type { Context } from '../command.ts';
import { findingsText, requireNone } from './findings.ts';
import type { Fleet } from './fleet.ts';
import { lockFleet } from './lock.ts';
import { acting } from './stages.ts';
import { viewAgain } from './view.ts';

/**
 * Mends what was found, one place after the other; the first one that fails stops the rest.
 *
 * @param confirmed names of `--confirm`
 * @throws ShipError `usage` when a guard refuses, `drift` for what doctor does not do by itself or
 * what stays, `locked`
 */
export async function mendAll(
  context: Context,
  fleet: Fleet,
  findings: readonly Finding[],
  confirmed: readonly string[],
): Promise<void> {
  const ours = findings.filter(({ state, fix }) => state === 'found' && fix?.consent !== 'yours');
  await using locked = await lockFleet(context, ours.length === 0 ? noNodes(fleet) : fleet);
  if (locked.failures.size > 0) throw combineFailures('doctor', locked.failures);
  const steps = ours.map((finding) => mendStep(patientOf(context, locked, finding, confirmed)));
  const options = { ...acting(context), concurrency: 1, stopAtFailure: true };
  const { results, failures } = await settleStage('Fix', steps, options);
  const now = findings.map((finding) => results.get(`${finding.id}/${finding.where}`) ?? finding);
  context.output.result(findingsText(now, true), now);
  if (failures.size > 0) throw combineFailures('doctor', failures);
  if (context.flags.dryRun !== true) requireNone(now);
}

function noNodes(fleet: Fleet): Fleet {
  return { ...fleet, sessions: new Map() };
}

function patientOf(
  context: Context,
  fleet: Fleet,
  finding: Finding,
  confirmed: readonly string[],
): Patient {
  const { id, where } = finding;
  return {
    finding,
    remote: sessionFor(context, fleet, where),
    confirmed,
    look: async (signal) => {
      const view = await viewAgain(context, fleet, where, signal);
      const again = examine(view, [problemOf(id)]).find((one) => one.where === where);
      const health = view.nodes.find(({ node }) => node.name === where);
      return lookOf(again ?? finding, health);
    },
  };
}

function lookOf(finding: Finding, health: Look['health']): Look {
  return { finding, health };
}

/**
 * What concerns the cluster is done on a server node.
 *
 * @throws ShipError `network` when there is no connection to one
 */
function sessionFor({ config }: Context, { sessions }: Fleet, where: string): Session {
  const servers = config.nodes.filter(({ role }) => role === 'server');
  const names = where === 'cluster' ? servers.map(({ name }) => name) : [where];
  const session = names.map((name) => sessions.get(name)).find((one) => one !== undefined);
  if (session !== undefined) return session;
  throw new ShipError('network', `${where}: no server node is connected`, {
    hint: `take one in: ciliumship doctor --fix --nodes ${names.join(',')}`,
  });
}
