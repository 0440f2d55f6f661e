import { found, ok, unknown, yours, type Problem, type Verdict } from './problem.ts';
import type { View } from './view.ts';

const CHART = yours({
  argv: ['ciliumship', 'deploy'],
  effect: 'once deploy.chart is the chart of the tree: install/kubernetes/cilium',
});

export const n7: Problem = {
  id: 'N7',
  title: 'the chart and the images are of different versions',
  patterns: [/chart.*version.*(operator|image)/i, /unknown flag: --/i, /unrecognized.*flag/i],
  known:
    'A chart writes settings for the agent and operator of its own version. Those of another read some of them differently, refuse others (E13), and ignore new ones without a word. Take the chart from the tree that the images are built from.',
  recognised:
    'appVersion of deploy.chart and VERSION of the source tree differ in their first two numbers',
  example: CHART,
  look: (view) => [{ where: 'settings', ...compare(view) }],
};

function compare({ versions: { chart, tree } }: View): Verdict {
  if (chart === undefined || tree === undefined) {
    return unknown(`the version of ${chart === undefined ? 'the chart' : 'the tree'} is not known`);
  }
  const proof = `chart ${chart}, tree ${tree}`;
  return minor(chart) === minor(tree) ? ok(proof) : found(proof, CHART);
}

function minor(version: string): string {
  return version.replace(/^v/, '').split('.').slice(0, 2).join('.');
}
