import { describe, expect, test } from 'vitest';
import type { Pod } from '../../../src/deploy/cluster.ts';
import { backTo, FINISHED, UNFINISHED } from '../../../src/deploy/descriptions.ts';
import { earlierRevision } from '../../../src/deploy/earlier.ts';
import type { History } from '../../../src/deploy/history.ts';
import { NODE_CONFIG_ANNOTATION } from '../../../src/deploy/node-config.ts';
import { unfinishedWork } from '../../../src/deploy/unfinished.ts';
import { agent, clusterThat } from '../../support/fake-cluster.ts';

const RELEASE = { name: 'cilium', namespace: 'kube-system' };
const [U, F, FAILED] = [UNFINISHED, FINISHED, 'Rollback "cilium" failed: conflict'];
const FOREIGN = 'Upgrade complete';
/** Two rollouts of ours, of A and then of B. */
const TWO = [U, F, U, F];
const MANIFESTS = ['A staged', 'A', 'B staged', 'B'];

const BACK = agent('back', { labels: { 'controller-revision-hash': 'A' } });
const LEFT = agent('left', { labels: { 'controller-revision-hash': 'B' } });
const PROVED = { [NODE_CONFIG_ANNOTATION]: 'none' };

function historyOf(descriptions: readonly string[]): History {
  return descriptions.map((description, index) => {
    const applied = index === descriptions.length - 1 ? 'deployed' : 'superseded';
    return {
      revision: index + 1,
      status: description === FAILED ? 'failed' : applied,
      description,
    };
  });
}

function find(
  descriptions: readonly string[],
  pods: readonly Pod[] = [BACK],
  recorded: number | undefined = 4,
) {
  const cluster = clusterThat({ pods: async () => pods, currentHash: async () => 'A' });
  return unfinishedWork(cluster, 'kube-system', historyOf(descriptions), async () => recorded);
}

/** Where `ciliumship rollback` goes; the newest revision runs what it repeats. */
async function goesTo(descriptions: readonly string[], pods?: readonly Pod[], recorded?: number) {
  const history = historyOf(descriptions);
  const manifest = async (_: unknown, revision = history.length): Promise<string> => {
    const repeated = /\d+$/.exec(history[revision - 1]?.description ?? '')?.[0];
    return MANIFESTS[Number(repeated ?? revision) - 1] ?? 'C';
  };
  const open = await find(descriptions, pods, recorded);
  const { target } = await earlierRevision(
    { manifest },
    RELEASE,
    { history, open },
    () => undefined,
  );
  return target?.revision;
}

describe('a rollback that was killed and is typed again', () => {
  test('goes on to where it went, and not to what it was to leave', async () => {
    expect(await goesTo([...TWO, 'Rollback to 1'])).toBe(2);
  });

  test.each<[string, readonly Pod[]]>([
    ['that not every agent follows yet', [BACK, LEFT]],
    ['whose new agent did not become ready', [{ ...BACK, ready: false }]],
  ])('goes on when it is one revision only %s', async (_, pods) => {
    const descriptions = [FOREIGN, FOREIGN, U, F, 'Rollback to 2'];
    expect(await find(descriptions, pods)).toMatchObject({
      kind: 'rollback',
      back: { revision: 2 },
    });
    expect(await goesTo(descriptions, pods)).toBe(2);
  });

  test.each<[string, readonly Pod[]]>([
    ['every agent followed', [BACK]],
    [
      'an agent fell ill long after it was proved',
      [{ ...BACK, ready: false, annotations: PROVED }],
    ],
  ])('is another rollback when %s', async (_, pods) => {
    const descriptions = [FOREIGN, FOREIGN, U, F, 'Rollback to 2'];
    expect(await find(descriptions, pods)).toBeUndefined();
    expect(await goesTo(descriptions, pods)).toBe(4);
  });

  test('is begun again when Helm failed over it', async () => {
    expect(await find([...TWO, FAILED])).toEqual({ kind: 'failed rollback', revision: 5 });
    expect(await goesTo([...TWO, FAILED])).toBe(2);
  });

  test('goes on when Helm failed over its end', async () => {
    const descriptions = [...TWO, 'Rollback to 1', FAILED];
    expect(await find(descriptions)).toMatchObject({ kind: 'rollback', back: { revision: 2 } });
    expect(await goesTo(descriptions)).toBe(2);
  });

  test('is what a rollout that followed it is undone to', async () => {
    expect(await goesTo([...TWO, 'Rollback to 1', U])).toBe(2);
  });

  test('undoes the rollout that Helm could not take back', async () => {
    expect(await find([...TWO, U, FAILED])).toEqual({ kind: 'rollout', revision: 5 });
    expect(await goesTo([...TWO, U, FAILED])).toBe(4);
  });
});

describe('nothing is unfinished', () => {
  test.each<[string, readonly string[]]>([
    ['before the first install', []],
    ['after a rollout', TWO],
    ['after a rollback', [...TWO, 'Rollback to 1', 'Rollback to 2']],
  ])('%s', async (_, descriptions) => {
    expect(await find(descriptions)).toBeUndefined();
  });

  const ONE_ONLY = [FOREIGN, FOREIGN, U, F, 'Rollback to 2'];
  const HELD = [FOREIGN, FOREIGN, U, F, backTo(2), 'Rollback to 2'];
  const STAGED = [...TWO, 'Rollback to 1', 'Rollback to 2'];
  const ANEW: readonly [string, Pod][] = [
    ['is starting', { ...BACK, ready: false }],
    ['is ending', { ...BACK, deleting: true, annotations: PROVED }],
  ];
  const ENDED: readonly (readonly [string, readonly string[], number])[] = [
    ['with a staged revision', STAGED, 4],
    ['with one that was held for it', HELD, 4],
    ['that was written down', ONE_ONLY, 5],
  ];

  test.each(
    ENDED.flatMap(([how, descriptions, recorded]) =>
      ANEW.map(([what, pod]) => ({ how, what, descriptions, recorded, pod })),
    ),
  )('long after a rollback $how, when an agent $what', async ({ descriptions, recorded, pod }) => {
    expect(await find(descriptions, [pod], recorded)).toBeUndefined();
    expect(await goesTo(descriptions, [pod], recorded)).toBe(4);
  });

  test('when the template was changed past Helm after a rollback that was written down', async () => {
    expect(await find(ONE_ONLY, [BACK, LEFT], 5)).toBeUndefined();
  });

  test('after somebody’s own rollback to the revision before that one, when an agent ends', async () => {
    expect(await find(ONE_ONLY, [BACK, { ...LEFT, deleting: true }])).toBeUndefined();
  });
});
