import type { HelmStatus } from './cluster.ts';
import { backTo, FINISHED, UNFINISHED } from './descriptions.ts';

/** The revisions of a release, oldest first, as `helm history` lists them. */
export type History = readonly HelmStatus[];

/** Where to go back to. */
export interface WayBack {
  readonly revision: number;
  /** The one before it, when the same run made both: the same with the order of agents left to us. */
  readonly staged: number | undefined;
}

/**
 * True when a revision was not rolled out to its end: by its description, because Helm failed over
 * it, or because it repeats such a revision.
 */
export function isUnfinished(history: History, entry: HelmStatus): boolean {
  // Helm writes its own words over the description of what failed.
  if (entry.status === 'failed' || entry.description.startsWith(UNFINISHED)) return true;
  const repeated = repeatedBy(entry);
  if (repeated === undefined) return false;
  const known = history.find(({ revision }) => revision === repeated);
  if (known !== undefined) return isUnfinished(history, known);
  // Helm keeps ten revisions. A rollback of ours repeats the staged revision, then the finished one.
  const next = history.find(({ revision }) => revision === entry.revision + 1);
  if (next !== undefined) return repeatedBy(next) === repeated + 1;
  const twin = history.find(({ revision }) => revision === repeated + 1);
  return twin?.description.startsWith(FINISHED) === true;
}

/** True of a revision that repeats an earlier one. */
export function isRollback(entry: HelmStatus): boolean {
  return repeatedBy(entry) !== undefined;
}

/** Helm 3 takes no description for a rollback, and both give it this one. */
function repeatedBy(entry: HelmStatus): number | undefined {
  const found = /^Rollback to (\d+)$/.exec(entry.description)?.[1];
  return found === undefined ? heldFor(entry) : Number(found);
}

/** The revision that one of ours repeats with the order of agents left to us. */
function heldFor({ description }: HelmStatus): number | undefined {
  const [, revision = ''] = /: back to revision (\d+)$/.exec(description) ?? [];
  const found = Number(revision);
  return description === backTo(found) ? found : undefined;
}

/** The earlier revision that a revision repeats; itself when Helm has dropped that, or there is none. */
export function repeatedIn(history: History, entry: HelmStatus): HelmStatus {
  const repeated = repeatedBy(entry);
  return history.find(({ revision }) => revision === repeated) ?? entry;
}

/**
 * The history up to the last revision that is no rollback that Helm failed over: where such a one was
 * to go Helm does not say.
 */
export function beforeFailedRollbacks(history: History): History {
  return history.slice(0, history.findLastIndex((entry) => !isFailedRollback(entry)) + 1);
}

function isFailedRollback({ status, description }: HelmStatus): boolean {
  return status === 'failed' && description.startsWith('Rollback "');
}

/** True when a revision is live and is what a rollout or a rollback of ours came to. */
export function isFinishedRollout(history: History, entry: HelmStatus): boolean {
  const named = entry.description.startsWith(FINISHED) || repeatedBy(entry) !== undefined;
  return named && entry.status === 'deployed' && !isUnfinished(history, entry);
}

/** The rollout that was begun and not finished, if the newest is one. */
export function unfinishedRollout(history: History): HelmStatus | undefined {
  const newest = history.at(-1);
  return newest !== undefined && isUnfinished(history, newest) ? newest : undefined;
}

/**
 * Where the rollback goes that the newest revision began and did not finish: the finished twin of the
 * staged revision that it repeats.
 */
export function rollbackUnderWay(history: History): HelmStatus | undefined {
  const open = unfinishedRollout(history);
  return open === undefined ? undefined : finishedTwin(history, open);
}

function finishedTwin(history: History, entry: HelmStatus): HelmStatus | undefined {
  const repeated = repeatedBy(entry);
  if (repeated === undefined) return undefined;
  const staged = history.find(({ revision }) => revision === repeated);
  const twin = history.find(({ revision }) => revision === repeated + 1);
  if (staged === undefined) return twin;
  // Held for it: no other revision was before it.
  if (isToGoBackTo(history, staged)) return staged;
  if (twin !== undefined && areTwins(staged, twin) && isToGoBackTo(history, twin)) return twin;
  return finishedTwin(history, staged);
}

/** True when a revision was rolled out to its end, by us or by someone's own Helm. */
export function isToGoBackTo(history: History, entry: HelmStatus): boolean {
  const applied = entry.status === 'deployed' || entry.status === 'superseded';
  return applied && !isUnfinished(history, entry);
}

/**
 * The newest of them; after a rollback that was not finished, where that one goes: what was finished
 * before it is what somebody wanted to leave.
 */
export function lastFinished(history: History): HelmStatus | undefined {
  for (const entry of history.toReversed()) {
    if (isToGoBackTo(history, entry)) return entry;
    const twin = finishedTwin(history, entry);
    if (twin !== undefined) return twin;
  }
  return undefined;
}

/**
 * The finished revisions before what runs now, the newest first; after an unfinished rollout, all of
 * them.
 */
export function finishedBefore(history: History): History {
  const finished = history.filter((entry) => isToGoBackTo(history, entry)).toReversed();
  const newest = history.at(-1);
  if (newest === undefined || isUnfinished(history, newest)) return finished;
  const now = rootOf(history, newest);
  return finished.filter((entry) => rootOf(history, entry) !== now);
}

/** The revision that first had these contents. */
function rootOf(history: History, entry: HelmStatus): number {
  const repeated = repeatedBy(entry);
  const known = history.find(({ revision }) => revision === repeated);
  return known === undefined ? (repeated ?? entry.revision) : rootOf(history, known);
}

/**
 * The revision that the newest one repeats, when what came before it was not finished and is not the
 * first half of the same way back: nodes may still be told what that was to tell them.
 */
export function repeatedOverUnfinished(history: History): HelmStatus | undefined {
  const [before, newest] = history.slice(-2);
  if (before === undefined || newest === undefined) return undefined;
  if (isToGoBackTo(history, before) || areTwins(before, newest)) return undefined;
  const repeated = repeatedBy(newest);
  return history.find(({ revision }) => revision === repeated);
}

/**
 * True of a rollback that came to its end for certain: Helm is asked for the revision itself only after
 * every node went back with the staged one, or with the one that was held for it.
 */
export function isWholeRollback(history: History, entry: HelmStatus): boolean {
  const repeated = repeatedBy(entry);
  const before = history.find(({ revision }) => revision === entry.revision - 1);
  if (repeated === undefined || before === undefined || isUnfinished(history, entry)) return false;
  const first = repeatedBy(before);
  return isUnfinished(history, before) && (first === repeated || first === repeated - 1);
}

/** The revision itself, and its staged twin: the one that the same run made just before it. */
export function wayBackTo(history: History, { revision }: HelmStatus): WayBack {
  const [twin, entry] = [revision - 1, revision].map((wanted) =>
    history.find((candidate) => candidate.revision === wanted),
  );
  const ours = twin !== undefined && entry !== undefined && areTwins(twin, entry);
  return { revision, staged: ours ? twin.revision : undefined };
}

function areTwins(twin: HelmStatus, entry: HelmStatus): boolean {
  if (twin.status === 'failed') return false;
  const repeated = repeatedBy(entry);
  if (repeated !== undefined) {
    return repeatedBy(twin) === repeated - 1 || heldFor(twin) === repeated;
  }
  return twin.description.startsWith(UNFINISHED) && entry.description.startsWith(FINISHED);
}

/** True when Helm was killed in the middle, so that it refuses every upgrade (E8). */
function isStuck({ status }: HelmStatus): boolean {
  return status.startsWith('pending-') || status === 'uninstalling';
}

/** A release in the middle of an operation. */
export interface StuckRelease {
  readonly newest: HelmStatus;
  readonly repair: Repair;
  /** Nothing was ever finished: what would be applied again nobody has seen at work. */
  readonly first: boolean;
}

/** What frees a stuck release: finishing its removal, or applying an earlier revision again. */
export type Repair = { readonly uninstall: true } | { readonly revision: number };

/** @returns undefined when the release is not stuck */
export function stuckRelease(history: History): StuckRelease | undefined {
  const newest = history.at(-1);
  if (newest === undefined || !isStuck(newest)) return undefined;
  const first = newest.status === 'pending-install';
  return { newest, repair: repairOf(history, newest), first };
}

function repairOf(history: History, newest: HelmStatus): Repair {
  if (newest.status === 'uninstalling') return { uninstall: true };
  const meant = repeatedIn(history, newest);
  // Not the last finished one: that is what somebody wanted to leave.
  if (meant !== newest && meant.status !== 'failed') return { revision: meant.revision };
  const finished = lastFinished(history);
  if (finished === undefined) return { revision: newest.revision };
  const { staged, revision } = wayBackTo(history, finished);
  return { revision: staged ?? revision };
}

/**
 * How long a release has been in the middle of an operation, in milliseconds. Helm notes the time of
 * its own machine and knows no holder: only this tells a Helm that runs from one that was killed.
 *
 * @returns undefined when Helm did not note it
 */
export function ageOf({ updated }: HelmStatus, now: number): number | undefined {
  const began = Date.parse(updated ?? '');
  return Number.isNaN(began) ? undefined : now - began;
}
