import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AGENT_SET } from '../../deploy/agents.ts';
import type { Helm, ReleaseName } from '../../deploy/cluster.ts';
import { backTo } from '../../deploy/descriptions.ts';
import { heldChart } from '../../deploy/held-chart.ts';
import { stuckRelease, type WayBack } from '../../deploy/history.ts';
import { choosesOrder, leavesOrder } from '../../deploy/manifest.ts';
import { heldStep, rollbackStep } from '../../deploy/steps.ts';
import { runStage } from '../../output/stage.ts';
import { temporaryFolder } from '../../system/temporary-folder.ts';
import type { Context } from '../command.ts';
import { acting } from './stages.ts';

/** A revision that is gone back to, and who does it. */
export interface Returning {
  readonly helm: Helm;
  readonly release: ReleaseName;
  readonly way: WayBack;
}

/** What Helm applies before any agent goes back. */
export interface HeldBack {
  readonly apply: () => Promise<void>;
  /** Agents are replaced when we say so. */
  readonly ours: boolean;
  /** Nothing is left to apply when they are back. */
  readonly last: boolean;
}

/**
 * The way to a revision that leaves the order of agents to us, if there is any: the revision itself, its
 * staged twin, or an upgrade to the same with OnDelete. Says so where it is not usual.
 *
 * @param manifest what the revision applied
 */
export async function heldBack(
  context: Context,
  to: Returning,
  manifest: string,
): Promise<HeldBack> {
  const { revision, staged } = to.way;
  const back = (which: number) => () => helmBack(context, to, which);
  if (!choosesOrder(AGENT_SET, manifest)) return { apply: back(revision), ours: true, last: true };
  if (staged !== undefined && (await isHeld(to, staged))) {
    return { apply: back(staged), ours: true, last: false };
  }
  const free = await freeing(to);
  if (free === 'nothing is held') {
    context.output.note(`${chooses(revision)}; Helm was killed over a rollout of that kind`);
    return { apply: back(revision), ours: false, last: true };
  }
  context.output.note(
    `${chooses(revision)}: it is applied with OnDelete first, so that they go back one node at a time`,
  );
  const apply = async (): Promise<void> => {
    if (free !== undefined) await helmBack(context, to, free);
    await holdOrder(context, to, manifest);
  };
  return { apply, ours: true, last: false };
}

/** Says so when a revision that Helm applies as it was, to free a release, leaves no order to us. */
export async function noteFreeOrder(
  { output }: Context,
  to: Pick<Returning, 'helm' | 'release'>,
  { revision }: { readonly revision: number },
): Promise<void> {
  const manifest = (await to.helm.manifest(to.release, revision).catch(() => undefined)) ?? '';
  if (!choosesOrder(AGENT_SET, manifest)) return;
  output.note(`${chooses(revision)}; Helm frees a release in no other way`);
}

/** `helm rollback`, as a stage of its own. */
export async function helmBack(
  context: Context,
  { helm, release }: Returning,
  revision: number,
): Promise<void> {
  await runStage('Back', [rollbackStep(helm, release, revision)], acting(context));
}

function chooses(revision: number): string {
  return `revision ${revision} lets its DaemonSet choose which agents are replaced, and how many at once`;
}

async function isHeld({ helm, release }: Returning, revision: number): Promise<boolean> {
  return leavesOrder(AGENT_SET, (await helm.manifest(release, revision)) ?? '');
}

/**
 * Helm upgrades nothing that a killed Helm left pending, until something is applied again: what leaves
 * the agents alone is what we ourselves applied last.
 *
 * @returns its revision; undefined when Helm upgrades
 */
async function freeing(to: Returning): Promise<number | undefined | 'nothing is held'> {
  const stuck = stuckRelease(await to.helm.history(to.release));
  if (stuck === undefined) return undefined;
  const { revision } = stuck.newest;
  for (const each of [revision, revision - 1]) if (await isHeld(to, each)) return each;
  return 'nothing is held';
}

async function holdOrder(
  context: Context,
  { helm, release, way: { revision } }: Returning,
  manifest: string,
): Promise<void> {
  const upgrade = async (): Promise<number> => {
    using folder = temporaryFolder();
    const chart = join(folder.path, 'chart');
    for (const [name, text] of heldChart(manifest, revision)) await write(join(chart, name), text);
    // Helm keeps them with the revision, for whoever upgrades with the values of the one before.
    const values = join(folder.path, 'values.json');
    await write(values, JSON.stringify((await helm.values(release, revision)) ?? {}));
    const forceConflicts = await helm.appliesOnServer(release);
    const more = { values: [values], keepHistory: true, forceConflicts };
    // The folder goes when this returns.
    return await helm.upgrade({ ...release, chart, ...more }, backTo(revision));
  };
  await runStage('Back', [heldStep(release, revision, upgrade)], acting(context));
}

/** A manifest holds Secrets, and values may. */
async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o600 });
}
