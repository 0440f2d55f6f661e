import type { Config } from '../../config/normalise.ts';
import type { Digest } from '../../core/digest.ts';
import type { ImageIdentity } from '../../core/image.ts';
import type { PlacedImage } from '../../deploy/values.ts';
import type { Shipped } from '../../deploy/wanted.ts';

/** Values keys of the chart's image blocks for agent and operator. */
const AGENT = 'image';
const OPERATOR = 'operator.image';

/** Images that have a place in the chart. */
export function placedImages(
  config: Config,
  images: readonly ImageIdentity[],
): readonly PlacedImage[] {
  return images.flatMap(({ key, digestName }) => {
    const value = config.images.find((image) => image.key === key)?.value;
    return value === undefined ? [] : [{ value, digestName }];
  });
}

/** The same of images that nobody built yet: in the place of their digests stands that they are not. */
export function unbuiltImages({ images, tag }: Config): readonly PlacedImage[] {
  return images.flatMap(({ repository, value }) =>
    value === undefined ? [] : [{ value, digestName: `${repository}:${tag}-<not built yet>` }],
  );
}

/** Config digests of agent and operator, by their place in the chart. */
export function shippedOf(config: Config, images: readonly ImageIdentity[]): Shipped {
  return { agent: digestAt(config, images, AGENT), operator: digestAt(config, images, OPERATOR) };
}

function digestAt(
  config: Config,
  images: readonly ImageIdentity[],
  value: string,
): Digest | undefined {
  const key = config.images.find((image) => image.value === value)?.key;
  return images.find((image) => image.key === key)?.config.digest;
}
