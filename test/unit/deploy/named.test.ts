import { expect, test } from 'vitest';
import { workloadsOf } from '../../../src/deploy/manifest.ts';
import { namedBy } from '../../../src/deploy/named.ts';
import { shipImage } from '../../support/values.ts';

const AGENT = shipImage('cilium', ['agent']);
const STORES = new Map([
  ['worker', { cri: [] }],
  [
    'master',
    {
      cri: [
        { id: AGENT.config.digest, names: [AGENT.name, AGENT.digestName], pinned: true, size: 1 },
      ],
    },
  ],
]);

function revision(image: string): string {
  return `
kind: DaemonSet
metadata: { name: cilium }
spec:
  template:
    spec:
      initContainers: [{ name: mount, image: quay.io/tools/mount:1 }]
      containers: [{ name: cilium-agent, image: "${image}" }]
`;
}

test('the digest that a revision names is the whole one of the node that has it', () => {
  expect(namedBy(workloadsOf(revision(AGENT.digestName)), STORES)).toEqual({
    agent: AGENT.config.digest,
    operator: undefined,
  });
});

test.each([
  ['a tag that says nothing of its bytes', AGENT.name],
  ['an image that no node has', `quay.io/cilium/cilium:other-0123456789ab`],
])('%s names no digest', (_, image) => {
  expect(namedBy(workloadsOf(revision(image)), STORES).agent).toBeUndefined();
});
