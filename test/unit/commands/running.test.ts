import { describe, expect, test } from 'vitest';
import {
  requireRunning,
  runningTable,
  runningImages,
  runsWhatWasBuilt,
  type RunningImage,
} from '../../../src/commands/shared/running.ts';
import type { Digest } from '../../../src/core/digest.ts';
import type { Pod } from '../../../src/deploy/cluster.ts';
import { agent, container } from '../../support/fake-cluster.ts';
import { digestOf, shipImage, shippedNode } from '../../support/values.ts';

const IMAGE = shipImage('cilium', ['base', 'agent']);
const NODES = [shippedNode('master', [IMAGE]), shippedNode('worker', [])];

/** A pod on a node whose container names `image` and runs the shipped bytes, or those of `other`. */
function pod(node: string, image: string, other?: string): Pod {
  const imageId = other === undefined ? IMAGE.config.digest : digestOf(other);
  return agent(`cilium-${node}`, { node, containers: [container({ image, imageId })] });
}

function running(...pods: readonly Pod[]): RunningImage {
  const [only] = runningImages([IMAGE], NODES, pods);
  if (only === undefined) throw new Error('no image');
  return only;
}

describe('an image', () => {
  test('is counted on the nodes that proved it, and in the containers that name it', () => {
    const found = running(pod('worker', IMAGE.name), pod('master', IMAGE.name, 'older'));
    expect(found).toEqual({
      key: 'cilium',
      name: IMAGE.name,
      config: IMAGE.config.digest,
      runsOn: ['master', 'worker'],
      onNodes: 1,
      nodes: 2,
      running: 1,
      unclear: 0,
      containers: 2,
    });
  });

  test('is called by the name that the pods use, once for each node', () => {
    const found = running(pod('worker', IMAGE.digestName), pod('worker', IMAGE.digestName));
    expect(found).toMatchObject({ name: IMAGE.digestName, runsOn: ['worker'], running: 2 });
  });

  test('that nobody names has no containers', () => {
    const found = running(pod('worker', 'quay.io/cilium/other:dev'));
    expect(found).toMatchObject({ name: IMAGE.name, runsOn: [], running: 0, containers: 0 });
  });

  test('of a container that runs nothing yet is not running', () => {
    const waiting = container({ image: IMAGE.name, imageId: undefined });
    const found = running(agent('cilium-1', { containers: [waiting] }));
    expect(found).toMatchObject({ running: 0, containers: 1 });
  });
});

test('a manifest of ours is what was shipped, and one of elsewhere is neither that nor anything else', () => {
  const byManifest = (imageId: Digest): Pod =>
    agent('cilium-1', {
      containers: [container({ image: IMAGE.name, imageId, byManifest: true })],
    });
  expect(running(byManifest(IMAGE.manifest.digest))).toMatchObject({ running: 1, unclear: 0 });
  const unclear = running(byManifest(digestOf('of a registry')));
  expect(unclear).toMatchObject({ running: 0, unclear: 1, containers: 1 });
  expect(runsWhatWasBuilt([unclear])).toBe(true);
  expect(() => requireRunning([unclear])).not.toThrow();
  expect(runningTable([unclear])).toContain('0/1 (1 by another manifest)');
});

describe('a release', () => {
  test('is content when all containers run what was shipped, or there are none', () => {
    for (const found of [running(pod('worker', IMAGE.name)), running()]) {
      expect(runsWhatWasBuilt([found])).toBe(true);
      expect(() => requireRunning([found])).not.toThrow();
    }
  });

  test('is not content with one container of other bytes, and says how many run where', () => {
    const behind = running(pod('worker', IMAGE.name, 'older'), pod('master', IMAGE.name));
    expect(runsWhatWasBuilt([running(), behind])).toBe(false);
    expect(() => requireRunning([running(), behind])).toThrowError(
      expect.objectContaining({
        kind: 'deploy',
        details: [`${IMAGE.name}: 1 of 2 containers, on master, worker`],
        hint: expect.stringContaining('delete their pods'),
      }),
    );
  });
});
