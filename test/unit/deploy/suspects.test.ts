import { expect, test } from 'vitest';
import type { HelmStatus, Pod } from '../../../src/deploy/cluster.ts';
import { FINISHED, UNFINISHED } from '../../../src/deploy/descriptions.ts';
import { NODE_CONFIG_ANNOTATION } from '../../../src/deploy/node-config.ts';
import { suspectAgents } from '../../../src/deploy/suspects.ts';
import { agent, clusterThat } from '../../support/fake-cluster.ts';
import { manifestOf } from '../../support/rolling-cluster.ts';

const [U, F] = [UNFINISHED, FINISHED];
const FOREIGN = 'Install complete';
const RELEASE = { name: 'cilium', namespace: 'kube-system' };

/** Revision N is made at N o'clock. */
const at = (hour: number): string => new Date(Date.UTC(2026, 0, 1, 0, hour * 60)).toISOString();

/** What Helm applied last, and its template, as `A deployed`. */
type Made = readonly [description: string, template: string, status?: string];

const BROKE: Made = [`Upgrade "cilium" failed: timed out`, 'B', 'failed'];
const OF_A: readonly Made[] = [
  [U, 'A'],
  [F, 'A'],
];
const OF_B: readonly Made[] = [...OF_A, [U, 'B'], [F, 'B']];

/** An agent of each template that started before the newest rollout began, and one that did since. */
function agentsOf(revisions: readonly Made[]): readonly Pod[] {
  const begun = revisions.findLastIndex(([description]) => description === F) + 2;
  return ['A', 'B', 'C'].flatMap((hash) => {
    const labels = { 'controller-revision-hash': hash };
    const since = { labels, started: at(begun + 0.5) };
    return [
      agent(`${hash}-before`, { labels, started: at(begun - 0.5) }),
      agent(`${hash}-since`, since),
      agent(`${hash}-proved`, { ...since, annotations: { [NODE_CONFIG_ANNOTATION]: 'none' } }),
      agent(`${hash}-unknown`, { labels }),
    ];
  });
}

async function suspects(revisions: readonly Made[], from = 1): Promise<readonly string[]> {
  const history = revisions.map(([description, , status], index): HelmStatus => {
    const applied = index === revisions.length - 1 ? 'deployed' : 'superseded';
    const revision = index + from;
    return { revision, description, status: status ?? applied, updated: at(index + 1) };
  });
  const manifest = async (_: unknown, revision = history.length) =>
    manifestOf(`template: ${revisions[revision - from]?.[1]}`, 'OnDelete');
  const pods = agentsOf(revisions);
  const cluster = clusterThat({
    pods: async () => pods,
    currentHash: async () => revisions.at(-1)?.[1],
  });
  const found = await suspectAgents({ cluster, helm: { manifest } }, RELEASE, history);
  return pods.filter(({ uid }) => found.has(uid)).map(({ name }) => name);
}

test.each<[string, readonly Made[]]>([
  ['the last rollout was finished', OF_B],
  ['Helm failed over the newest revision: nobody knows what it applied', [...OF_A, BROKE]],
  ['somebody’s own Helm failed over it, and no agent was ever proved', [[FOREIGN, 'A'], BROKE]],
])('none is a suspect when %s', async (_, revisions) => {
  expect(await suspects(revisions)).toEqual([]);
});

test('none is a suspect when Helm has dropped the last finished revision', async () => {
  expect(await suspects([[U, 'B']], 11)).toEqual([]);
});

test.each<[string, readonly Made[], readonly string[]]>([
  ['those of an unfinished rollout', [...OF_A, [U, 'B']], ['B-since']],
  ['those of a first install that was not finished', [[U, 'A']], ['A-since']],
  [
    'those that an unfinished rollback to what was finished last did not come to',
    [...OF_A, [U, 'B'], ['Rollback to 1', 'A']],
    ['B-since', 'C-since'],
  ],
  [
    'those of an unfinished rollback, and none of the finished revision that it leaves',
    [...OF_B, ['Rollback to 1', 'A']],
    ['A-since'],
  ],
  [
    'those of the rollout that follows such a rollback',
    [...OF_B, ['Rollback to 1', 'A'], [U, 'C']],
    ['C-since'],
  ],
])('suspects are %s', async (_, revisions, names) => {
  expect(await suspects(revisions)).toEqual(names);
});
