import { describe, expect, test } from 'vitest';
import { parseHealth } from '../../../src/deploy/agent-health.ts';

const path = (status: string) => ({
  'primary-address': { ip: '10.4.100.1', http: { latency: 1, status } },
});

describe('what an agent found of the other nodes', () => {
  test('has an empty failure where all is well, and leaves the node itself out', () => {
    const text = JSON.stringify({
      local: { name: 'edge/worker' },
      nodes: [
        { name: 'edge/worker', host: path('') },
        { name: 'edge/master', host: path('') },
        { name: 'edge/third', host: path('context deadline exceeded') },
        { name: 'fourth', host: { 'primary-address': { ip: '10.4.100.4' } } },
      ],
    });
    expect(parseHealth(text)).toEqual([
      { node: 'master', failure: '' },
      { node: 'third', failure: 'context deadline exceeded' },
      { node: 'fourth', failure: 'not asked' },
    ]);
  });

  test.each(['Cannot get status: dial unix', '{"nodes":null}', '[]'])('is not in %s', (text) => {
    expect(parseHealth(text)).toBeUndefined();
  });
});
