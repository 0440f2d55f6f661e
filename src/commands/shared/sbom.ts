import { readFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ShipImage } from '../../core/image.ts';
import type { Step } from '../../core/step.ts';
import { readContents } from '../../image/sbom/contents.ts';
import { spdxDocument } from '../../image/sbom/spdx.ts';
import type { BlobStore } from '../../image/store.ts';
import { runStage } from '../../output/stage.ts';
import { replaceFile } from '../../system/replace-file.ts';
import type { Context } from '../command.ts';
import { option } from '../flags.ts';
import { lockPath } from './lock-file.ts';
import { acting } from './stages.ts';

export interface SbomFlag {
  readonly sbom?: boolean;
}

export const sbomOption = option(
  '--sbom',
  'write what each image is made of, as SPDX, into ciliumship.sbom beside the lock',
);

/**
 * With `--sbom`: writes a document for each image into `ciliumship.sbom`, beside the lock. A dry run
 * writes none.
 *
 * @throws ShipError `config` when it cannot be written, `build` for a layer that cannot be read or is no tar
 */
export async function writeSboms(
  context: Context<SbomFlag>,
  images: readonly ShipImage[],
  store: BlobStore,
): Promise<void> {
  if (context.flags.sbom !== true) return;
  const folder = join(lockPath(context.config), '..', 'ciliumship.sbom');
  const steps = images.map((image): Step<number> => {
    const file = join(folder, `${image.key.replaceAll(/[^\w.-]+/g, '_')}.spdx.json`);
    return {
      id: `sbom/${image.key}`,
      title: `list what ${image.name} is made of`,
      plan: () => [file],
      run: async () => {
        const contents = await readContents(image, store);
        const document = spdxDocument(image, contents, await createdOf(image, store));
        await mkdir(folder, { recursive: true });
        await replaceFile(file, `${JSON.stringify(document, undefined, 2)}\n`);
        return [...contents.packages.values()].flat().length;
      },
      describe: (count) => `${image.key} ${count} packages`,
    };
  });
  await runStage('SBOM', steps, acting(context));
}

/** When an image says that it was made; the epoch when it does not say it as SPDX wants it. */
async function createdOf({ config }: ShipImage, store: BlobStore): Promise<string> {
  const { created } = JSON.parse(await readFile(store.path(config.digest), 'utf8')) as {
    readonly created?: string;
  };
  const at = new Date(created ?? 0);
  const valid = Number.isNaN(at.getTime()) ? new Date(0) : at;
  return valid.toISOString().replace(/\.\d+Z$/, 'Z');
}
