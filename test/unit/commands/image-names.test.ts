import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/normalise.ts';
import { imageNames, withNames } from '../../../src/commands/shared/image-names.ts';

const ROWS = [
  { image: 'quay.io/cilium/cilium:dev-0123456789ab' },
  { image: 'localhost:5000/cilium/hubble-relay:v1-0123456789ab' },
  { image: 'quay.io/cilium/hubble-ui:v1-0123456789ab' },
];

describe('names of images', () => {
  test('are those of the config, without registry and tag', () => {
    const images = [
      { repository: 'quay.io/cilium/cilium' },
      { repository: 'localhost:5000/operator' },
    ];
    const extraImages = ['quay.io/cilium/hubble-relay:v1.19.0', 'quay.io/x/cilium:v2'];
    const config = { images, extraImages } as unknown as Config;
    expect(imageNames(config)).toEqual(['cilium', 'operator', 'hubble-relay']);
  });

  test('choose from a list, by name or pattern', () => {
    expect(withNames(ROWS, [])).toEqual(ROWS);
    expect(withNames(ROWS, ['cilium'])).toEqual(ROWS.slice(0, 1));
    expect(withNames(ROWS, ['hubble-*'])).toEqual(ROWS.slice(1));
  });

  test('never leave out a node that could not be asked', () => {
    const unknown = { node: 'worker' };
    expect(withNames([...ROWS, unknown], ['cilium'])).toEqual([ROWS[0], unknown]);
  });

  test('that fit nothing are refused, with what was meant', () => {
    expect(() => withNames(ROWS, ['cilum'])).toThrow('named cilum; did you mean cilium?');
    expect(() => withNames(ROWS, ['prun'])).toThrow('did you mean prune?');
  });
});
