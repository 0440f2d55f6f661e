import { setTimeout as sleep } from 'node:timers/promises';
import { ShipError } from '../core/errors.ts';
import type { Node } from '../core/node.ts';
import { quoteArgv } from '../core/quote.ts';
import type { Argv, Remote } from '../core/remote.ts';
import type { Run, Step } from '../core/step.ts';
import { readOffloads, type Offloads } from '../facts/offloads.ts';
import type { Writing } from './harden-persist.ts';
import { settingsOf, type Hardening, type Setting } from './harden-plan.ts';

/** A node to harden. */
export interface Hardened {
  readonly node: Node;
  readonly remote: Remote;
  readonly hardening: Hardening;
  /** What the node lacks of what is to outlast a reboot. */
  readonly writings: readonly Writing[];
  /** What its interfaces are like now. */
  readonly devices: readonly Offloads[];
  /** Milliseconds until the node undoes what nobody confirmed. */
  readonly deadMan: number;
  /** Connects once more; throws when the node does not answer. */
  readonly connect: (signal: AbortSignal) => Promise<Remote & AsyncDisposable>;
}

/** Settings with what they were before and are now. */
export interface HardenedNode {
  readonly node: string;
  readonly settings: readonly (Setting & { readonly after: string })[];
  readonly persisted: readonly string[];
}

/** systemd's name of the undoing: one for each node, so that two cannot be under way. */
const UNDO = 'ciliumship-undo';
/** Milliseconds before the node acts in which we no longer try. */
const MARGIN = 1_500;
const PAUSE = 300;

/**
 * Changes what is to be changed on the interfaces of one node. Before that the node itself is told
 * to undo it after a while, and only a new connection calls that off: whatever becomes of the link,
 * of this machine or of this run, the node comes back as it was.
 *
 * @throws ShipError `network` when the node did not answer afterwards; as `Remote.run`
 */
export function hardenStep(hardened: Hardened): Step<HardenedNode> {
  const { node, devices, writings } = hardened;
  const settings = allSettings(hardened, devices);
  const changes = changesOf(settings);
  const done: HardenedNode = {
    node: node.name,
    settings: settings.map((setting) => ({ ...setting, after: setting.before })),
    persisted: [],
  };
  return {
    id: node.name,
    title: `harden ${node.name}`,
    done: async ({ signal }) => {
      if (changes.length > 0 || writings.length > 0) return undefined;
      return (await undoIsDue(hardened, signal)) ? undefined : done;
    },
    plan: () => [
      ...(changes.length === 0 ? [] : [`sudo ${quoteArgv(timer(hardened, changes))}`]),
      ...changes.map(({ argv }) => `sudo ${quoteArgv(argv)}`),
      ...(changes.length === 0 ? [] : [`over a new connection: sudo ${quoteArgv(CALL_OFF)}`]),
      ...writings.map(({ argv, effect }) => `sudo ${quoteArgv(argv)}   (${effect})`),
    ],
    run: (run) => harden(hardened, run),
    describe: ({ settings: all }) =>
      `${node.name} ${all.filter(({ before, after }) => before !== after).length} changed`,
  };
}

function allSettings(
  { node, hardening }: Hardened,
  devices: readonly Offloads[],
): readonly Setting[] {
  return devices.flatMap((at) => settingsOf(node.name, at, hardening));
}

type Change = NonNullable<Setting['change']>;

function changesOf(settings: readonly Setting[]): readonly Change[] {
  return settings.flatMap(({ change }) => change ?? []);
}

async function harden(hardened: Hardened, run: Run): Promise<HardenedNode> {
  const { remote, node, writings } = hardened;
  await earlierUndo(hardened, run);
  const settings = allSettings(hardened, await look(hardened, remote, run.signal));
  const changes = changesOf(settings);
  if (changes.length > 0) await changeAll(hardened, changes, run);
  for (const { argv, effect, input } of writings) {
    run.progress({ text: effect });
    await remote.run(argv, { sudo: true, signal: run.signal, input });
  }
  const after = allSettings(hardened, await look(hardened, remote, run.signal));
  return {
    node: node.name,
    settings: settings.map((setting, index) => ({
      ...setting,
      after: after[index]?.before ?? setting.before,
    })),
    persisted: writings.map(({ effect }) => effect),
  };
}

function look(
  { devices }: Hardened,
  remote: Remote,
  signal: AbortSignal,
): Promise<readonly Offloads[]> {
  return Promise.all(devices.map(({ device }) => readOffloads(remote, device, signal)));
}

/** Of a run that was cut off: what it changed is about to be undone, and is looked at after that. */
async function earlierUndo(hardened: Hardened, run: Run): Promise<void> {
  const end = performance.now() + hardened.deadMan;
  while ((await undoIsDue(hardened, run.signal)) && performance.now() < end) {
    run.progress({ text: 'waiting until the node has undone what an earlier run left' });
    await sleep(PAUSE, undefined, { signal: run.signal });
  }
}

async function undoIsDue({ remote }: Hardened, signal: AbortSignal): Promise<boolean> {
  const argv: Argv = ['systemctl', 'is-active', '--quiet', `${UNDO}.timer`];
  return (await remote.run(argv, { sudo: true, signal, accept: [3, 4] })).code === 0;
}

/** Everything back as it was, the last change first. */
function timer({ deadMan }: Hardened, changes: readonly Change[]): Argv {
  const undo = changes.toReversed().map((change) => quoteArgv(change.undo));
  const after = [`--on-active=${deadMan / 1000}`, '--timer-property=AccuracySec=100ms'];
  return ['systemd-run', '--quiet', `--unit=${UNDO}`, ...after, 'sh', '-c', undo.join('; ')];
}

const CALL_OFF: Argv = ['systemctl', 'stop', `${UNDO}.timer`];

async function changeAll(hardened: Hardened, changes: readonly Change[], run: Run): Promise<void> {
  const { remote, deadMan } = hardened;
  await remote.run(timer(hardened, changes), { sudo: true, signal: run.signal });
  // From here on the node acts by itself: what is not confirmed by then is not ours to repair.
  const until = AbortSignal.any([run.signal, AbortSignal.timeout(deadMan - MARGIN)]);
  try {
    for (const { argv } of changes) {
      run.progress({ text: quoteArgv(argv) });
      await remote.run(argv, { sudo: true, signal: until });
    }
    run.progress({ text: 'connecting once more' });
    await callOff(hardened, until);
  } catch (cause) {
    run.signal.throwIfAborted();
    throw unanswered(hardened, cause);
  }
}

/** Only an answer on a new connection counts: the old one may live on over a link that is dead. */
async function callOff({ connect }: Hardened, signal: AbortSignal): Promise<void> {
  await using again = await connect(signal);
  await again.run(CALL_OFF, { sudo: true, signal });
}

function unanswered({ node, deadMan }: Hardened, cause: unknown): ShipError {
  const seconds = deadMan / 1000;
  return new ShipError(
    'network',
    `${node.name}: the change was not confirmed over a new connection; the node undoes it within ${seconds} s`,
    {
      cause,
      retryable: true,
      details: cause instanceof Error ? [cause.message] : [],
      hint: `see that it did: ciliumship preflight --nodes ${node.name}; then leave out what cut it off`,
    },
  );
}
