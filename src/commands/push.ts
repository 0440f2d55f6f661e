import { nodesTable, sentSummary } from '../output/receipt/text.ts';
import type { BlobStore } from '../image/store.ts';
import type { CommandSpec } from './command.ts';
import { option, type HooksFlag } from './flags.ts';
import { imagesOfArchive, requireVerifyFlags, type VerifyFlags } from './shared/archive.ts';
import { runHook } from './shared/hooks.ts';
import { endUnbuilt, openImages, type BringInto } from './shared/images.ts';
import { frozenOption, lockImages, requireFrozen, type FrozenFlag } from './shared/lock-file.ts';
import { clusterBeside } from './shared/cluster.ts';
import { makeReady } from './shared/make-ready.ts';
import { selectNodes } from './shared/nodes.ts';
import { imagesData, requireAll, shippedData } from './shared/report.ts';
import { dropSuperseded } from './shared/prune.ts';
import { sbomOption, writeSboms, type SbomFlag } from './shared/sbom.ts';
import { shipImages } from './shared/ship-images.ts';
import { openBlobStore, tidyStore } from './shared/store.ts';

interface PushFlags extends FrozenFlag, VerifyFlags, HooksFlag, SbomFlag {
  readonly build?: boolean;
  readonly archive?: string;
}

export const push: CommandSpec<PushFlags> = {
  name: 'push',
  summary: 'build, then bring what changed to every node and prove that it arrived',
  description:
    'Builds the images, compares their layers with what each node has, sends only what is missing, to all nodes at once, a changed layer as a patch of its earlier version where that is faster, and imports it under a staging name. Only when a node has proved digest, completeness and unpacking do the final names move to the new image; until then, and after any failure, the old image stays usable. A node that fails does not stop the others.',
  examples: [
    ['ciliumship push', 'build and ship'],
    ['ciliumship push --no-build', 'ship the images that Docker has'],
    ['ciliumship push --archive images.tar.zst', 'ship what another machine saved, without Docker'],
    [
      'ciliumship push --archive images.tar.zst --verify --allowed-signers ~/.ssh/allowed_signers',
      'only when someone signed it who may',
    ],
    ['ciliumship push --sbom', 'and list what each image is made of'],
    ['ciliumship push --nodes worker --dry-run', 'print what would be sent to one node'],
  ],
  options: [
    option('--no-build', 'ship the images that Docker has, without building'),
    frozenOption,
    sbomOption,
    option('--archive <file>', 'ship the images of an archive of ciliumship save; needs no Docker'),
    option('--verify', 'refuse an archive that none of the allowed signers signed'),
    option('--allowed-signers <file>', 'who may sign: NAME KEY a line, see man ssh-keygen'),
  ],
  receipt: true,
  hooks: ['before-push', 'after-push', 'on-failure'],
  run: async (context) => {
    const { archive, frozen, nodes: names } = context.flags;
    requireVerifyFlags(context.flags);
    const nodes = selectNodes(context.config.nodes, names);
    await using store = await openBlobStore(context);
    const bring =
      archive === undefined
        ? await openImages(context)
        : (into: BlobStore) => imagesOfArchive(context, archive, into);
    if (bring === 'not built') return endUnbuilt(context);
    const bringAll: BringInto = async (into, landed) => {
      const brought = await bring(into, landed);
      await requireFrozen(context, brought.images);
      return brought;
    };
    await using made = await makeReady(
      context,
      nodes,
      store,
      bringAll,
      archive !== undefined || frozen === true,
    );
    const { fleet } = made;
    const { images, tree } = made.ready;
    await using cluster = clusterBeside(context, fleet);
    const shipped = await shipImages(context, fleet, images, store, {
      ...made,
      whenSent: cluster.begin,
    });
    await lockImages(context, images, shipped, tree);
    await writeSboms(context, images, store);
    await dropSuperseded(context, fleet, shipped, cluster.access);
    await tidyStore(context, store, images);
    const done = { images: imagesData(images), nodes: shippedData(shipped, images) };
    context.output.result(
      `${nodesTable(done.nodes)}\n\n${sentSummary(done.nodes, images.length)}`,
      done,
    );
    requireAll('push', shipped);
    await runHook(context, 'after-push');
  },
};
