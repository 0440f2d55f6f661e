import { Argument } from 'commander';
import { requireWritable } from '../image/archive-write.ts';
import { requireKey } from '../system/signature.ts';
import type { CommandSpec } from './command.ts';
import { option } from './flags.ts';
import { saveArchive, savedText, type SignFlag } from './shared/archive.ts';
import { imagesOfDocker } from './shared/images.ts';
import { imagesData } from './shared/report.ts';
import { openBlobStore } from './shared/store.ts';

interface SaveFlags extends SignFlag {
  readonly build?: boolean;
}

const DRY_RUN = 'nothing was saved: this was a dry run';

export const save: CommandSpec<SaveFlags> = {
  name: 'save',
  summary: 'write all images to one archive, for machines that cannot reach the nodes',
  description:
    'Builds the images and writes them, with the extra images, to one OCI archive; the end of its name says how to compress it. Carry it to a machine that reaches the nodes and run ciliumship push --archive there: it needs no Docker. Without ciliumship, gunzip -c FILE | sudo k3s ctr -n k8s.io images import - on a node gives the same names. A file that is there is replaced in one moment, when the new one is whole. With --sign the archive is signed with an SSH key, and FILE.sig beside it is the proof that push --verify asks for; the archive may be compressed anew on its way.',
  examples: [
    ['ciliumship save images.tar.zst', 'build, then write an archive'],
    ['ciliumship save images.tar.gz --no-build', 'of the images that Docker has, for gunzip'],
    [
      'ciliumship save images.tar.zst --sign ~/.ssh/id_ed25519.pub',
      'sign it too, with a key that the agent has',
    ],
  ],
  args: [new Argument('<file>', 'the archive: .tar.zst, .tar.gz or .tar')],
  options: [
    option('--no-build', 'save the images that Docker has, without building'),
    option('--sign <key>', 'sign with this SSH key: a private key, or a public one of your agent'),
  ],
  run: async (context) => {
    const [file = ''] = context.args;
    await requireWritable(file);
    if (context.flags.sign !== undefined) await requireKey(context.flags.sign);
    await using store = await openBlobStore(context);
    const found = await imagesOfDocker(context, store);
    if (found === 'not built') return context.output.result(DRY_RUN, { images: [] });
    const { images } = found;
    const archive = await saveArchive(context, images, file, store);
    context.output.result(savedText(archive, images), { archive, images: imagesData(images) });
  },
};
