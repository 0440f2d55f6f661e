import { planLines } from '../core/action.ts';
import type { Remote } from '../core/remote.ts';
import type { Run, Step } from '../core/step.ts';
import { readOffloads, type Offloads } from '../facts/offloads.ts';
import type { Writing } from './harden-persist.ts';
import { settingsOf, type Hardening, type Setting } from './harden-plan.ts';
import {
  changeGuarded,
  earlierUndo,
  guardedActions,
  undoIsDue,
  type Change,
  type Guarded,
} from './harden-undo.ts';

/** A node to harden. */
export interface Hardened extends Guarded {
  readonly hardening: Hardening;
  /** What the node lacks of what is to outlast a reboot. */
  readonly writings: readonly Writing[];
  /** What its interfaces are like now. */
  readonly devices: readonly Offloads[];
}

/** Settings with what they were before and are now. */
export interface HardenedNode {
  readonly node: string;
  readonly settings: readonly (Setting & { readonly after: string })[];
  readonly persisted: readonly string[];
}

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
    plan: () => planLines([...guardedActions(hardened, changes), ...writings]),
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

function changesOf(settings: readonly Setting[]): readonly Change[] {
  return settings.flatMap(({ change }) => change ?? []);
}

async function harden(hardened: Hardened, run: Run): Promise<HardenedNode> {
  const { remote, node, writings } = hardened;
  await earlierUndo(hardened, run);
  const settings = allSettings(hardened, await look(hardened, remote, run.signal));
  const changes = changesOf(settings);
  if (changes.length > 0) await changeGuarded(hardened, changes, run);
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
