import { describe, expect, test } from 'vitest';
import {
  missingImages,
  requireNothingMissing,
  requireSameBytes,
} from '../../../src/deploy/gate.ts';
import type { Digest } from '../../../src/core/digest.ts';
import type { Missing } from '../../../src/deploy/gate.ts';
import type { RenderedWorkload } from '../../../src/deploy/manifest.ts';
import { qualified, type NodeStore } from '../../../src/facts/node-store.ts';
import { clusterNode, configNode } from '../../support/fake-cluster.ts';
import { digestOf, EMPTY_NODE, nodeWith, shipImage } from '../../support/values.ts';

const IMAGE = shipImage('cilium', ['base', 'agent']);
const WHOLE = nodeWith([IMAGE]);
const UNPINNED: NodeStore = { ...WHOLE, images: new Map() };

function workload(image: string, pullPolicy: string): RenderedWorkload {
  const anywhere = { nodeSelector: {}, tolerations: [], affinityTerms: [] };
  return {
    kind: 'DaemonSet',
    name: 'cilium',
    images: [{ container: 'cilium-agent', image, pullPolicy }],
    ...anywhere,
  };
}

const ALWAYS = 'pullPolicy Always asks a registry; set IfNotPresent or Never in the values';

interface Scene {
  readonly image?: string;
  readonly pullPolicy?: string;
  readonly offline?: boolean;
  readonly pinned?: boolean;
  readonly stores?: Readonly<Record<string, NodeStore>>;
  readonly inCluster?: readonly string[];
}

/** What one workload lacks on `worker`, whose Kubernetes name is `k-worker`. */
function missing(scene: Scene): readonly Missing[] {
  const { image = IMAGE.digestName, pullPolicy = 'Never', offline = true, pinned = false } = scene;
  const { stores = { worker: WHOLE }, inCluster = ['k-worker'] } = scene;
  return missingImages(
    [workload(image, pullPolicy), workload(image, pullPolicy)],
    inCluster.map((name) => clusterNode(name)),
    [configNode('worker', { nodeName: 'k-worker' })],
    new Map(Object.entries(stores)),
    { offline, pinned },
  );
}

function checked(more: object): NodeStore {
  const ref = qualified(IMAGE.digestName);
  const one = { ref, digest: IMAGE.manifest.digest, complete: true, unpacked: true, ...more };
  return { ...WHOLE, checked: new Map([[ref, one]]) };
}

describe('nothing is missing', () => {
  test('when every node that may run it has the image whole', () => {
    expect(missing({})).toEqual([]);
  });

  test('of an image that nodes may pull, unless they are offline', () => {
    const scene = { pullPolicy: 'IfNotPresent', stores: { worker: EMPTY_NODE } };
    expect(missing({ ...scene, offline: false })).toEqual([]);
    expect(missing({ ...scene, offline: true })).toHaveLength(1);
  });

  test('of an image that is always pulled, where nodes are not offline', () => {
    const scene = { pullPolicy: 'Always', stores: { worker: EMPTY_NODE } };
    expect(missing({ ...scene, offline: false })).toEqual([]);
  });

  test('of an image that is pinned, where it must be', () => {
    expect(missing({ pinned: true })).toEqual([]);
  });

  test('of an image that may be pulled, pinned or not', () => {
    const scene = { pullPolicy: 'IfNotPresent', stores: { worker: UNPINNED } };
    expect(missing({ ...scene, pinned: true })).toEqual([]);
  });

  test('of an image whose short name the node knows by its full one', () => {
    const ref = 'docker.io/library/busybox:latest';
    const one = { ref, digest: digestOf('busybox'), complete: true, unpacked: true };
    const worker = { ...WHOLE, checked: new Map([[ref, one]]) };
    expect(missing({ image: 'busybox', stores: { worker } })).toEqual([]);
  });
});

describe('an image is missing, once for two workloads,', () => {
  test.each<[string, Scene, string]>([
    ['that the node lacks', { stores: { worker: EMPTY_NODE } }, 'the node does not have it'],
    ['that came in part', { stores: { worker: checked({ complete: false }) } }, 'not complete'],
    ['that is packed', { stores: { worker: checked({ unpacked: false }) } }, 'not unpacked'],
    ['that may be collected', { pinned: true, stores: { worker: UNPINNED } }, 'not pinned'],
    ['on a silent node', { stores: {} }, 'the node could not be asked'],
    ['that is there whole and always pulled', { pullPolicy: 'Always' }, ALWAYS],
  ])('%s', (_, scene, reason) => {
    expect(missing(scene)).toEqual([{ image: IMAGE.digestName, node: 'worker', reason }]);
  });

  test('on a node that the config does not know, under its Kubernetes name', () => {
    const reason = 'the node is not in the config';
    const found = missing({ inCluster: ['k-worker', 'k-other'] });
    expect(found).toEqual([{ image: IMAGE.digestName, node: 'k-other', reason }]);
  });
});

describe('an image with a digest in its reference', () => {
  const image = `${IMAGE.name}@${IMAGE.manifest.digest}`;

  test('is missing where only its tag is: the CRI looks it up by the digest alone', () => {
    const [found] = missing({ image });
    expect(found?.reason).toBe(
      'the node does not have it by this digest; ship it and set useDigest: false in the values',
    );
  });

  test('is there when the node pulled it by that digest', () => {
    const ref = `quay.io/cilium/cilium@${IMAGE.manifest.digest}`;
    const one = { ref, digest: IMAGE.manifest.digest, complete: true, unpacked: true };
    const worker = { ...WHOLE, checked: new Map([[ref, one]]) };
    expect(missing({ image, stores: { worker } })).toEqual([]);
  });
});

describe('F33: a name with the digest of its image in it', () => {
  const ref = qualified(IMAGE.digestName);
  const stores = (digest: Digest) =>
    new Map([
      ['worker', checked({ digest })],
      ['empty', EMPTY_NODE],
    ] as const);

  test('that points at the image is right, and one that is missing is not judged here', () => {
    expect(() => requireSameBytes([IMAGE], stores(IMAGE.manifest.digest))).not.toThrow();
  });

  test('that points elsewhere is refused with both digests', () => {
    expect(() => requireSameBytes([IMAGE], stores(digestOf('other')))).toThrowError(
      expect.objectContaining({
        kind: 'integrity',
        details: [`worker: ${ref} is ${digestOf('other')}, not ${IMAGE.manifest.digest}`],
      }),
    );
  });
});

describe('a deploy', () => {
  test('is not stopped by nothing', () => {
    expect(() => requireNothingMissing([])).not.toThrow();
  });

  test('F35: is stopped with one line for each image that a node lacks', () => {
    const list = missing({ stores: { worker: EMPTY_NODE } });
    expect(() => requireNothingMissing(list)).toThrowError(
      expect.objectContaining({
        kind: 'storage',
        details: [`worker: ${IMAGE.digestName}: the node does not have it`],
        hint: expect.stringContaining('ciliumship push'),
      }),
    );
  });

  test('is told to add the node that the config lacks', () => {
    const list = missing({ inCluster: ['k-other'] });
    expect(() => requireNothingMissing(list)).toThrowError(
      expect.objectContaining({
        kind: 'config',
        hint: expect.stringContaining('add k-other under nodes:'),
      }),
    );
  });
});
