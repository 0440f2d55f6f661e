import { shortDigest } from '../../core/digest.ts';
import { ShipError } from '../../core/errors.ts';
import { totalSize, type ShipImage } from '../../core/image.ts';
import { readArchiveStep, type Vouch } from '../../image/archive-read.ts';
import { archiveIndex, saveStep, type SavedArchive } from '../../image/archive-write.ts';
import type { BlobStore } from '../../image/store.ts';
import { formatBytes } from '../../output/progress.ts';
import { runStage } from '../../output/stage.ts';
import { textTable } from '../../output/table.ts';
import { readIfThere, replaceFile } from '../../system/replace-file.ts';
import { requireSigned, sign, signaturePath, verifySignature } from '../../system/signature.ts';
import type { Context } from '../command.ts';
import { extraImagesOf } from './extra-images.ts';
import type { ReadyImages } from './images.ts';
import { imagesData } from './report.ts';
import { acting, looking } from './stages.ts';

export interface SignFlag {
  /** File of an SSH key. */
  readonly sign?: string;
}

export interface VerifyFlags {
  readonly verify?: boolean;
  readonly allowedSigners?: string;
}

/**
 * Writes images to an archive, and its signature beside it. In a dry run nothing is written, and
 * nothing is returned. Signed first: a key that asks for its passphrase asks outside of the list of
 * steps, and one that does not answer leaves what was there.
 */
export async function saveArchive(
  context: Context<SignFlag>,
  images: readonly ShipImage[],
  file: string,
  store: BlobStore,
): Promise<SavedArchive | undefined> {
  const { flags, signal, output } = context;
  const isSigned = flags.sign !== undefined && flags.dryRun !== true;
  const signature = isSigned ? await sign(archiveIndex(images), flags.sign, signal) : undefined;
  const saved = await runStage('Save', [saveStep(images, file, store)], acting(context));
  const beside = signaturePath(file);
  if (signature !== undefined) await replaceFile(beside, signature);
  else if (flags.dryRun !== true && (await readIfThere(beside)) !== undefined) {
    output.note(`${beside} was made for an earlier archive: sign this one with --sign KEY`);
  }
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
 * Refuses flags of a signature that do not go together, before anything is read.
 *
 * @throws ShipError `usage`
 */
export function requireVerifyFlags({ archive, verify, allowedSigners }: PushedArchive): void {
  if (verify !== true && allowedSigners === undefined) return;
  if (archive === undefined) {
    throw new ShipError('usage', 'only an archive has a signature to verify', {
      hint: 'name it: ciliumship push --archive FILE --verify --allowed-signers FILE',
    });
  }
  if (allowedSigners !== undefined) return;
  throw new ShipError('usage', '--verify needs to know who may sign', {
    hint: 'name a file of your own, never one that came with the archive: --allowed-signers FILE',
  });
}

interface PushedArchive extends VerifyFlags {
  readonly archive?: string;
}

/** What asks whether an archive is signed by someone who may; undefined when nobody wants to know. */
async function voucherFor(
  { flags, output }: Context<VerifyFlags>,
  file: string,
): Promise<Vouch | undefined> {
  if (flags.allowedSigners === undefined) return undefined;
  const trusted = { signature: signaturePath(file), allowedSigners: flags.allowedSigners };
  await requireSigned(file, trusted);
  return async (index, signal) => {
    const signer = await verifySignature(index, file, trusted, signal);
    output.note(`${file} was signed by ${signer}`);
  };
}

/**
 * Every image of the config, brought from an archive into the blob store. Nothing on any node is
 * touched.
 *
 * @throws ShipError `integrity` with file, entry and reason; as `verifySignature`
 */
export async function imagesOfArchive(
  context: Context<VerifyFlags>,
  file: string,
  store: BlobStore,
): Promise<ReadyImages> {
  const { images: specs, tag, platform } = context.config;
  const extraImages = await extraImagesOf(context);
  const wanted = [
    ...specs.map(({ key, repository }) => ({ key, name: `${repository}:${tag}` })),
    ...extraImages.map((name) => ({ key: name, name })),
  ];
  const step = readArchiveStep(file, wanted, platform, store, await voucherFor(context, file));
  const images = [...(await runStage('Archive', [step], looking(context))).values()].flat();
  context.output.record({ images: imagesData(images) });
  return { images };
}
