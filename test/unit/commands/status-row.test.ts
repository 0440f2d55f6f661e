import { expect, test } from 'vitest';
import { statusRow } from '../../../src/commands/shared/status-row.ts';
import type { PodContainer } from '../../../src/deploy/cluster.ts';
import { agent, configNode, container } from '../../support/fake-cluster.ts';
import { digestOf, nodeWith, shipImage } from '../../support/values.ts';

const IMAGE = shipImage('envoy', ['base', 'envoy']);
const PULLED = digestOf('the manifest of a registry');

/** The row of a node that pulled the image from its registry before it was shipped. */
function row(one: Partial<PodContainer>, pulled: readonly string[] = [PULLED]) {
  const [cri] = nodeWith([IMAGE]).cri;
  if (cri === undefined) throw new Error('no image');
  const older = { ...cri, id: digestOf('older'), names: [], digests: [digestOf('of older')] };
  const store = nodeWith([IMAGE], { cri: [older, { ...cri, digests: pulled }] });
  const containers = [container({ image: IMAGE.name, ...one })];
  return statusRow(configNode('worker'), IMAGE.name, [agent('p', { containers })], store);
}

test('a container runs what its node has, by the manifest too that it was pulled by', () => {
  expect(row({ imageId: IMAGE.config.digest }).state).toBe('ok');
  expect(row({ imageId: PULLED, byManifest: true })).toMatchObject({
    running: [IMAGE.config.digest],
    state: 'ok',
  });
});

test('a container that runs other bytes than its node has is behind', () => {
  expect(row({ imageId: digestOf('older') }).state).toBe('behind');
  expect(row({ imageId: digestOf('of older'), byManifest: true }).state).toBe('behind');
});

test('a manifest that the node does not know is unknown, and not behind', () => {
  expect(row({ imageId: PULLED, byManifest: true }, []).state).toBe('unknown');
});
