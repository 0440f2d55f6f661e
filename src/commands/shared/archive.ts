import { shortDigest } from '../../core/digest.ts';
import { totalSize, type ShipImage } from '../../core/image.ts';
import { readArchiveStep } from '../../image/archive-read.ts';
import { saveStep, type SavedArchive } from '../../image/archive-write.ts';
import type { BlobStore } from '../../image/store.ts';
import { formatBytes } from '../../output/progress.ts';
import { runStage } from '../../output/stage.ts';
import { textTable } from '../../output/table.ts';
import type { Context } from '../command.ts';
import type { ReadyImages } from './images.ts';
import { imagesData } from './report.ts';
import { acting, looking } from './stages.ts';

/** Writes images to an archive. In a dry run nothing is written, and nothing is returned. */
export async function saveArchive(
  context: Context,
  images: readonly ShipImage[],
  file: string,
  store: BlobStore,
): Promise<SavedArchive | undefined> {
  const saved = await runStage('Save', [saveStep(images, file, store)], acting(context));
  return [...saved.values()][0];
}

/** What an archive holds, and what tells it from any other. */
export function savedText(archive: SavedArchive | undefined, images: readonly ShipImage[]): string {
  const rows = images.map(({ name, config, layers }) => [
    name,
    shortDigest(config.digest),
    formatBytes(totalSize(layers)),
  ]);
  const table = textTable(['image', 'config', 'size'], rows);
  if (archive === undefined) return `${table}\n\nnothing was written: this was a dry run`;
  const { file, digest, size } = archive;
  return `${table}\n\n${file}: ${formatBytes(size)}, ${digest}`;
}

/**
 * Every image of the config, brought from an archive into the blob store. Nothing on any node is
 * touched.
 *
 * @throws ShipError `integrity` with file, entry and reason
 */
export async function imagesOfArchive(
  context: Context,
  file: string,
  store: BlobStore,
): Promise<ReadyImages> {
  const { images: specs, extraImages, tag, platform } = context.config;
  const wanted = [
    ...specs.map(({ key, repository }) => ({ key, name: `${repository}:${tag}` })),
    ...extraImages.map((name) => ({ key: name, name })),
  ];
  const step = readArchiveStep(file, wanted, platform, store);
  const images = [...(await runStage('Archive', [step], looking(context))).values()].flat();
  context.output.record({ images: imagesData(images) });
  return { images };
}
