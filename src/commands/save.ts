import { Argument } from 'commander';
import { requireWritable } from '../image/archive-write.ts';
import type { CommandSpec } from './command.ts';
import { option } from './flags.ts';
import { saveArchive, savedText } from './shared/archive.ts';
import { imagesOfDocker } from './shared/images.ts';
import { imagesData } from './shared/report.ts';
import { openBlobStore } from './shared/store.ts';

interface SaveFlags {
  readonly build?: boolean;
}

export const save: CommandSpec<SaveFlags> = {
  name: 'save',
  summary: 'write all images to one archive, for machines that cannot reach the nodes',
  description:
    'Builds the images and writes them, with the extra images, to one OCI archive; the end of its name says how to compress it. Carry it to a machine that reaches the nodes and run ciliumship push --archive there: it needs no Docker. Without ciliumship, gunzip -c FILE | sudo k3s ctr -n k8s.io images import - on a node gives the same names. A file that is there is replaced in one moment, when the new one is whole.',
  examples: [
    ['ciliumship save images.tar.zst', 'build, then write an archive'],
    ['ciliumship save images.tar.gz --no-build', 'of the images that Docker has, for gunzip'],
  ],
  args: [new Argument('<file>', 'the archive: .tar.zst, .tar.gz or .tar')],
  options: [option('--no-build', 'save the images that Docker has, without building')],
  run: async (context) => {
    const [file = ''] = context.args;
    await requireWritable(file);
    await using store = await openBlobStore(context);
    const { images } = await imagesOfDocker(context, store);
    const archive = await saveArchive(context, images, file, store);
    context.output.result(savedText(archive, images), { archive, images: imagesData(images) });
  },
};
