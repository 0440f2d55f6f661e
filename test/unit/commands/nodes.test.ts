import { describe, expect, test } from 'vitest';
import { selectNodes } from '../../../src/commands/shared/nodes.ts';
import { configNode } from '../../support/fake-cluster.ts';

const NODES = ['master', 'worker-1', 'worker-2'].map((name) => configNode(name));

function selected(patterns: string | undefined): readonly string[] {
  return selectNodes(NODES, patterns).map(({ name }) => name);
}

describe('--nodes', () => {
  test.each([
    [undefined, ['master', 'worker-1', 'worker-2']],
    ['master', ['master']],
    ['worker-*', ['worker-1', 'worker-2']],
    ['worker-2, master', ['master', 'worker-2']],
    ['*,master', ['master', 'worker-1', 'worker-2']],
  ])('%s selects %j, each once and in the order of the config', (patterns, names) => {
    expect(selected(patterns)).toEqual(names);
  });

  test.each([
    ['gone', 'gone'],
    ['master,gone,lost*', 'gone, lost*'],
    ['', '""'],
    [' , ', '""'],
  ])('%j is refused: no node fits %s', (patterns, what) => {
    expect(() => selected(patterns)).toThrowError(
      expect.objectContaining({
        kind: 'usage',
        message: `--nodes: no node fits ${what}`,
        hint: 'name nodes of the config: --nodes master,worker-1,worker-2',
      }),
    );
  });
});
