import type { Config } from '../../config/normalise.ts';

/** `REPO:TAG` of every image that a config ships. */
export function shippedNames(config: Config): readonly string[] {
  const built = config.images.map(({ repository }) => `${repository}:${config.tag}`);
  return [...built, ...config.extraImages];
}
