import { describe, expect, it } from 'vitest';
import { blocksOf, imageBlocks, otherImages } from '../../../src/deploy/chart-images.ts';
import { workloadsOf } from '../../../src/deploy/manifest.ts';
import { deriveValues } from '../../../src/deploy/values.ts';

const CHART = {
  image: { repository: 'quay.io/cilium/cilium', tag: 'v1' },
  envoy: { enabled: true, image: { repository: 'quay.io/cilium/cilium-envoy', tag: 'v1' } },
  hubble: { ui: { backend: { image: { repository: 'quay.io/cilium/hubble-ui-backend' } } } },
};

function podOf(...images: readonly string[]): string {
  const containers = images.map((image) => `        - { name: a, image: "${image}" }`);
  const head =
    'kind: DaemonSet\nmetadata: { name: a }\nspec:\n  template:\n    spec:\n      containers:';
  return `${head}\n${containers.join('\n')}\n`;
}

describe('extraImages: auto', () => {
  it('are the images of a chart that are not built, once each, by their tags', () => {
    const rendered = workloadsOf(
      [
        podOf('quay.io/cilium/cilium:dev', 'quay.io/cilium/cilium-envoy:v1@sha256:00'),
        podOf('quay.io/cilium/cilium-envoy:v1', 'registry:5000/relay:v2', 'registry:5000/bare'),
      ].join('---\n'),
    );
    expect(otherImages(rendered, ['quay.io/cilium/cilium'])).toEqual([
      'quay.io/cilium/cilium-envoy:v1',
      'registry:5000/relay:v2',
    ]);
  });

  it('are told by tag and never pulled where the chart names them', () => {
    const blocks = blocksOf(imageBlocks(CHART), ['quay.io/cilium/cilium-envoy:v1']);
    expect(blocks).toEqual(['envoy.image']);
    expect(deriveValues([], {}, blocks)).toMatchObject({
      envoy: { rollOutPods: true, image: { useDigest: false, pullPolicy: 'Never' } },
    });
  });
});
