import type { Context } from '../command.ts';
import { knownExtraImages } from './extra-images.ts';

/** `REPO:TAG` of every image that a config ships, as far as it is known. */
export async function shippedNames(context: Context): Promise<readonly string[]> {
  const { images, tag } = context.config;
  const built = images.map(({ repository }) => `${repository}:${tag}`);
  return [...built, ...(await knownExtraImages(context))];
}
