import { expect, test } from 'vitest';
import { unbuiltImages } from '../../../src/commands/shared/placed.ts';
import type { Config } from '../../../src/config/normalise.ts';
import { deriveValues } from '../../../src/deploy/values.ts';

test('values of images that are not built yet say so in the place of their digests', () => {
  const repository = 'quay.io/cilium';
  const images = [
    { key: 'agent', repository: `${repository}/cilium`, value: 'image' },
    { key: 'operator', repository: `${repository}/operator`, value: 'operator.image' },
    { key: 'tool', repository: `${repository}/tool` },
  ];
  const config = { images, tag: 'dev' } as unknown as Config;
  const own = { useDigest: false, pullPolicy: 'Never' };
  expect(deriveValues(unbuiltImages(config))).toMatchObject({
    image: { override: 'quay.io/cilium/cilium:dev-<not built yet>', ...own },
    operator: { image: { override: 'quay.io/cilium/operator:dev-<not built yet>', ...own } },
  });
});
