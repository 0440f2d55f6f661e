import { setTimeout as sleep } from 'node:timers/promises';
import { planLines } from '../core/action.ts';
import { ShipError } from '../core/errors.ts';
import type { Remote } from '../core/remote.ts';
import type { Step } from '../core/step.ts';
import type { NodeHealth } from '../facts/node-health.ts';
import { refusal } from './guard.ts';
import type { Finding, Fix } from './problem.ts';

/** What is there at this moment. */
export interface Look {
  readonly finding: Finding;
  /** Of the node; undefined for what is not of a node. */
  readonly health: NodeHealth | undefined;
}

/** One problem in one place, and how to act there. */
export interface Patient {
  readonly finding: Finding;
  /** Where the commands run. */
  readonly remote: Remote;
  /** Names of `--confirm`. */
  readonly confirmed: readonly string[];
  /** Reads everything anew. */
  readonly look: (signal: AbortSignal) => Promise<Look>;
}

/** Milliseconds between two looks, and until a problem that was acted on must be gone. */
const PAUSE = 500;
const PATIENCE = 60_000;

/**
 * Mends one problem in one place. Whatever is done follows from a look just before it, because ids
 * of links change and agents start; and the problem must be gone afterwards. Broken off in the
 * middle it is taken up by running it again.
 *
 * @throws ShipError `usage` when a guard refuses, `drift` when the problem stays; as `Remote.run`
 */
export function mendStep(patient: Patient): Step<Finding> {
  const { id, where, fix } = patient.finding;
  return {
    id: `${id}/${where}`,
    title: `mend ${id} on ${where}`,
    plan: () => planLines(fix?.actions ?? []),
    run: async ({ signal }) => mend(patient, signal),
    describe: () => `${id} ${where}`,
  };
}

async function mend(patient: Patient, signal: AbortSignal): Promise<Finding> {
  const done = new Set<string>();
  const end = performance.now() + PATIENCE;
  let failure: ShipError | undefined;
  for (;;) {
    const seen = await patient.look(signal);
    const { finding } = seen;
    if (finding.state === 'ok') return finding;
    const fix = newFix(finding, done);
    if (fix === undefined && failure !== undefined) throw failure;
    const late = performance.now() > end;
    if (late || finding.state === 'unknown') throw failure ?? stays(finding);
    if (fix === undefined) await sleep(PAUSE, undefined, { signal });
    else failure = await act(patient, seen, fix, signal);
  }
}

/** What was done once and did not help is not done again. */
function newFix({ fix }: Finding, done: Set<string>): Fix | undefined {
  const key = JSON.stringify(fix?.actions);
  if (fix === undefined || fix.consent === 'yours' || done.has(key)) return undefined;
  done.add(key);
  return fix;
}

/** @returns the refusal of a command: what it was to act on may have gone since the look (F46) */
async function act(
  patient: Patient,
  seen: Look,
  fix: Fix,
  signal: AbortSignal,
): Promise<ShipError | undefined> {
  const no = refusal(seen.finding, seen.health, patient.confirmed);
  if (no !== undefined) throw no;
  try {
    for (const { argv } of fix.actions) await patient.remote.run(argv, { sudo: true, signal });
  } catch (error) {
    if (error instanceof ShipError && error.kind === 'storage') return error;
    throw error;
  }
  return undefined;
}

function stays({ id, where, state, proof }: Finding): ShipError {
  const what = state === 'unknown' ? 'cannot be looked at any more' : 'is still there';
  return new ShipError('drift', `${where}: ${id} ${what}: ${proof}`, {
    hint: `ciliumship explain ${id}`,
  });
}
