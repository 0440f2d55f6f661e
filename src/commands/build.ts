import { describeTree } from '../build/tree.ts';
import { shortDigest } from '../core/digest.ts';
import { textTable } from '../output/table.ts';
import type { CommandSpec } from './command.ts';
import { openDocker } from './shared/docker.ts';
import { buildImages, isUnbuilt, readSource } from './shared/images.ts';

export const build: CommandSpec = {
  name: 'build',
  summary: 'build the images of the source tree in Docker',
  description:
    'Builds agent and operator as the Makefile of the tree would, through BuildKit, whatever ARCH, CI_BUILD or DOCKER_FLAGS say in your environment. Success is said only when Docker shows the image that the build named. A tree with uncommitted changes is built, and named as such.',
  examples: [
    ['ciliumship build', 'build what ciliumship.yaml names'],
    ['ciliumship build --dry-run', 'print what would be built, with every build argument'],
  ],
  run: async (context) => {
    const { tree, images } = await buildImages(
      context,
      await openDocker(context),
      await readSource(context),
    );
    const rows = images.map(({ key, name, id }) => [key, name, shortDigest(id)]);
    if (isUnbuilt(context, { images }))
      return context.output.result('nothing was built: this was a dry run', { images });
    const source = { commit: tree.commit, version: tree.version, changed: tree.changed };
    context.output.result(
      `${textTable(['image', 'name', 'docker id'], rows)}\n\nsource: ${describeTree(tree)}`,
      { source, images },
    );
  },
};
