import { describe, expect, test } from 'vitest';
import type { HelmStatus } from '../../../src/deploy/cluster.ts';
import { backTo, FINISHED, UNFINISHED } from '../../../src/deploy/descriptions.ts';
import {
  ageOf,
  beforeFailedRollbacks,
  finishedBefore,
  isFinishedRollout,
  lastFinished,
  rollbackUnderWay,
  stuckRelease,
  unfinishedRollout,
  wayBackTo,
  type History,
} from '../../../src/deploy/history.ts';

const WORDS: Readonly<Record<string, string>> = {
  staged: UNFINISHED,
  finished: FINISHED,
  foreign: 'Upgrade complete',
  broken: 'Upgrade "cilium" failed: conflict',
  unable: 'Rollback "cilium" failed: conflict',
};

const STATUS: Readonly<Record<string, string>> = {
  broken: 'failed',
  unable: 'failed',
  killed: 'pending-rollback',
};

/**
 * A history from words: `staged`, `finished`, `foreign`, `broken`, `back 2`, `killed back 2`,
 * `held 2`, `unable`, or a status that is pending. The last one is deployed.
 */
function historyOf(words: readonly string[], first = 1): History {
  return words.map((word, index): HelmStatus => {
    const repeated = /^(?:killed )?back (\d+)$/.exec(word)?.[1];
    const applied = index === words.length - 1 ? 'deployed' : 'superseded';
    const held = /^held (\d+)$/.exec(word)?.[1];
    const other = held === undefined ? (WORDS[word] ?? 'Preparing upgrade') : backTo(Number(held));
    const description = repeated === undefined ? other : `Rollback to ${repeated}`;
    const status = description === 'Preparing upgrade' ? word : applied;
    return {
      revision: first + index,
      status: STATUS[word.split(' ')[0] ?? ''] ?? status,
      description,
    };
  });
}

const ONE = ['staged', 'finished'];
const TWO = [...ONE, ...ONE];

describe('what is gone back to', () => {
  test.each<[string, readonly string[], number | undefined]>([
    ['nothing before the first install', [], undefined],
    ['nothing while the first rollout is not finished', ['staged'], undefined],
    ['the finished revision before an unfinished one', [...ONE, 'staged'], 2],
    ['never one that Helm failed over', [...ONE, 'broken'], 2],
    ['never one that Helm was killed over', [...ONE, 'pending-upgrade'], 2],
    ['what someone’s own Helm installed', ['foreign', 'staged'], 1],
    ['a rollback to a finished revision', [...ONE, 'staged', 'back 1', 'back 2', 'staged'], 5],
    ['never a rollback that stopped half-way', [...ONE, 'staged', 'back 1'], 2],
    ['where a rollback goes that stopped half-way', [...TWO, 'back 1'], 2],
    ['that also after the rollout that followed', [...TWO, 'back 1', 'staged'], 2],
    ['what was undone half-way', [...TWO, 'staged', 'back 3', 'staged'], 4],
  ])('is %s', (_, words, revision) => {
    expect(lastFinished(historyOf(words))?.revision).toBe(revision);
  });

  test('is known when Helm has dropped what a rollback repeats', () => {
    const history = historyOf(['back 1', 'back 2', 'staged'], 20);
    expect(lastFinished(history)?.revision).toBe(21);
    expect(unfinishedRollout(history.slice(0, 1))).toBeUndefined();
    expect(isFinishedRollout(history.slice(0, 2), historyOf(['back 1'], 20)[0]!)).toBe(false);
  });
});

describe('without a number a rollback goes', () => {
  test.each<[string, readonly string[], number | undefined]>([
    ['nowhere from the first rollout', ONE, undefined],
    ['from an unfinished rollout to the last finished one', [...ONE, 'staged'], 2],
    ['to the finished one before', [...ONE, ...ONE], 2],
    ['nowhere from a rollback to the only one', [...ONE, 'staged', 'back 1', 'back 2'], undefined],
    ['from a rollback to the other one', [...ONE, ...ONE, 'back 1', 'back 2'], 4],
  ])('%s', (_, words, revision) => {
    expect(finishedBefore(historyOf(words))[0]?.revision).toBe(revision);
  });
});

describe('the staged twin of a revision', () => {
  test.each<[string, readonly string[], number, number | undefined]>([
    ['is the one before it', ONE, 2, 1],
    ['of a rollback is the rollback before it', [...ONE, 'back 1', 'back 2'], 4, 3],
    ['is what we held for it', ['foreign', 'staged', 'held 1', 'back 1'], 4, 3],
    ['is not what we held for another one', ['foreign', ...ONE, 'held 3', 'back 1'], 5, undefined],
    ['is missing for someone else’s revision', ['staged', 'foreign'], 2, undefined],
    ['is missing when Helm failed over it', ['broken', 'finished'], 2, undefined],
    ['is not another rollback', ['foreign', ...ONE, 'back 1', 'back 3'], 5, undefined],
  ])('%s', (_, words, revision, staged) => {
    const history = historyOf(words);
    const entry = history.find((candidate) => candidate.revision === revision)!;
    expect(wayBackTo(history, entry)).toEqual({ revision, staged });
  });

  test('is missing when Helm has dropped it', () => {
    const history = historyOf(['finished'], 11);
    expect(wayBackTo(history, history[0]!)).toEqual({ revision: 11, staged: undefined });
  });
});

describe('a rollback that was not finished goes', () => {
  test.each<[string, readonly string[], number | undefined]>([
    ['to the finished twin of what it repeats', [...TWO, 'back 1'], 2],
    ['to the one before, when it undid a rollout', [...TWO, 'staged', 'back 3'], 4],
    ['through another one that was not finished', [...TWO, 'back 1', 'back 5'], 2],
    ['nowhere when the twin was never finished', ['staged', 'back 1'], undefined],
    ['nowhere when it was finished', [...TWO, 'back 1', 'back 2'], undefined],
    ['to what was held for it', ['foreign', ...ONE, 'held 1'], 1],
    ['nowhere from a rollout', [...TWO, 'staged'], undefined],
  ])('%s', (_, words, revision) => {
    expect(rollbackUnderWay(historyOf(words))?.revision).toBe(revision);
  });

  test('to the finished twin when Helm has just dropped the staged one', () => {
    const history = historyOf(['finished', 'staged', 'finished', 'back 1'], 2);
    expect(rollbackUnderWay(history)?.revision).toBe(2);
  });

  test('before the rollbacks that Helm failed over', () => {
    const before = beforeFailedRollbacks(historyOf([...TWO, 'unable', 'unable']));
    expect(before.map(({ revision }) => revision)).toEqual([1, 2, 3, 4]);
  });
});

describe('an unfinished rollout', () => {
  test.each<[string, readonly string[], number | undefined]>([
    ['is the newest revision when it says so', [...ONE, 'staged'], 3],
    ['is one that Helm failed over', [...ONE, 'broken'], 3],
    ['is a rollback that stopped half-way', [...ONE, 'staged', 'back 1'], 4],
    ['is one that was to go back to another', ['foreign', ...ONE, 'held 1'], 4],
    ['is none when it went back', ['foreign', ...ONE, 'held 1', 'back 1'], undefined],
    ['is none when it was finished later', ONE, undefined],
    ['is none when it was undone', [...ONE, 'staged', 'back 1', 'back 2'], undefined],
    ['is none of ours after someone’s own upgrade', ['staged', 'foreign'], undefined],
  ])('%s', (_, words, revision) => {
    expect(unfinishedRollout(historyOf(words))?.revision).toBe(revision);
  });
});

describe('E8, F38, F39: a release that a killed Helm left', () => {
  test.each<[string, readonly string[], object | undefined]>([
    ['nowhere in particular needs no repair', ONE, undefined],
    ['pending-upgrade goes back to the staged twin', [...ONE, 'pending-upgrade'], { revision: 1 }],
    ['pending-rollback does too', [...ONE, 'pending-rollback'], { revision: 1 }],
    [
      'a rollout over a rollback goes where that went',
      [...TWO, 'back 1', 'pending-upgrade'],
      { revision: 1 },
    ],
    ['a killed rollback goes on to where it went', [...TWO, 'killed back 1'], { revision: 1 }],
    [
      'a killed rollback to the end of that too',
      [...TWO, 'back 1', 'killed back 2'],
      { revision: 2 },
    ],
    ['over a foreign one goes back to that', ['foreign', 'pending-upgrade'], { revision: 1 }],
    ['pending-install is applied again', ['pending-install'], { revision: 1 }],
    ['uninstalling is removed', [...ONE, 'uninstalling'], { uninstall: true }],
  ])('%s', (_, words, repair) => {
    expect(stuckRelease(historyOf(words))?.repair).toEqual(repair);
  });

  test('was never finished when its first install was cut', () => {
    expect(stuckRelease(historyOf(['pending-install']))?.first).toBe(true);
    expect(stuckRelease(historyOf([...ONE, 'pending-upgrade']))?.first).toBe(false);
  });

  test('is as old as Helm noted, as far as it did', () => {
    const entry = { revision: 3, status: 'pending-upgrade', description: '' };
    const updated = '2026-11-29T10:00:00.123456+02:00';
    expect(ageOf({ ...entry, updated }, Date.parse('2026-11-29T08:01:00.123Z'))).toBe(60_000);
    expect(ageOf(entry, 0)).toBeUndefined();
  });
});
