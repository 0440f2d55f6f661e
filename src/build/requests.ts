import type { Platform } from '../core/image.ts';
import type { BuildRequest } from './request.ts';
import type { SourceTree } from './tree.ts';

/** An image of the config: what to build, without where and when. */
export interface ImageRecipe {
  readonly key: string;
  /** REPO without tag. */
  readonly repository: string;
  /** Path inside the tree. */
  readonly dockerfile: string;
  readonly target?: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
}

/** Empty on purpose: the Makefile passes every modifier, and a set one would change the image. */
const MODIFIERS = 'NOSTRIP= NOOPT= LOCKDEBUG= RACE= V= LIBNETWORK_PLUGIN= ';

/**
 * What `make docker-cilium-image docker-operator-generic-image` would pass, whatever is set in our
 * environment: ARCH would push to the registry, CI_BUILD rename the image, DOCKER_FLAGS drop the
 * result. Nothing of the environment is read here.
 *
 * @param options tag for every image; platform as `os/arch`
 */
export function buildRequests(
  tree: SourceTree,
  options: { readonly tag: string; readonly platform: Platform },
  recipes: readonly ImageRecipe[],
): BuildRequest[] {
  return recipes.map((recipe) => ({
    key: recipe.key,
    name: `${recipe.repository}:${options.tag}`,
    context: tree.path,
    dockerfile: recipe.dockerfile,
    target: recipe.target,
    buildArgs: { MODIFIERS, CILIUM_SHA: tree.shortCommit, DEBUG_HOLD: '', ...recipe.buildArgs },
    platform: options.platform,
    files: { GIT_VERSION: `${tree.gitVersion}\n` },
  }));
}
