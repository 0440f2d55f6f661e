import { expect, test } from 'vitest';
import { sourcedValues } from '../../../src/deploy/value-sources.ts';

test('each final value has one source, and what is derived wins', () => {
  const user = { MTU: 1400, image: { override: 'by/hand:1', tag: 'x' }, devices: ['eth0'] };
  const derived = {
    image: { override: 'a:b-123', useDigest: false, pullPolicy: 'Never' },
    rollOutCiliumPods: true,
  };
  const lines = sourcedValues(user, derived).map(
    ({ path, value, source }) => `${path.join('.')}=${JSON.stringify(value)} ${source}`,
  );
  expect(lines).toEqual([
    'MTU=1400 file',
    'image.tag="x" file',
    'devices=["eth0"] file',
    'image.override="a:b-123" digest tag',
    'image.useDigest=false digest tag',
    'image.pullPolicy="Never" digest tag',
    'rollOutCiliumPods=true derived',
  ]);
});
