import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { sourcedYaml } from '../../../src/commands/shared/sourced-yaml.ts';

test('a value says behind it where it comes from, and above it where that would be too wide', () => {
  const image = `quay.io/cilium/operator-generic:vxlan-xdp-dev-${'7bce57553'.repeat(2)}`;
  const text = sourcedYaml([
    { path: ['MTU'], value: 1400, source: 'cilium-values.yaml:7' },
    { path: ['source'], value: `/${image}`, source: 'ciliumship.yaml:2' },
    { path: ['operator', 'image', 'override'], value: image, source: 'digest tag' },
    { path: ['operator', 'image', 'useDigest'], value: false, source: 'digest tag' },
    { path: ['pools'], value: ['10.42.0.0/16'], source: 'cilium-values.yaml:11' },
  ]);
  expect(text).toBe(
    `MTU: 1400 # cilium-values.yaml:7
# ciliumship.yaml:2
source: /${image}
operator:
  image:
    # digest tag
    override: ${image}
    useDigest: false # digest tag
pools:
  # cilium-values.yaml:11
  - 10.42.0.0/16`,
  );
  expect(parse(text)).toMatchObject({ MTU: 1400, operator: { image: { override: image } } });
});
