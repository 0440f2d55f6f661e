import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hexOf, type Digest } from '../core/digest.ts';
import type { Blob, ShipImage } from '../core/image.ts';
import { writeWhole } from './write-whole.ts';

/** A ship image before it has names. */
export type Unnamed = Omit<ShipImage, 'key' | 'name' | 'digestName'>;

/** Which ship image was made of which image of Docker, whose own id says nothing about that. */
export interface Records {
  /** The ship image that was made of a Docker image, when all of it is still here. */
  recall(dockerId: Digest): Promise<Unnamed | undefined>;
  remember(dockerId: Digest, image: Unnamed): Promise<void>;
  /** Every image that is remembered. */
  images(): Promise<readonly Unnamed[]>;
  /** Forgets the images that lost a blob. */
  forgetLost(): Promise<void>;
}

/** The records of a folder; `has` tells whether the store has a blob. */
export function records(folder: string, has: (blob: Blob) => Promise<boolean>): Records {
  const fileOf = (dockerId: Digest): string => join(folder, `${hexOf(dockerId)}.json`);
  const isWhole = async ({ layers, config, manifest }: Unnamed): Promise<boolean> =>
    (await Promise.all([...layers, config, manifest].map(has))).every(Boolean);
  const files = async (): Promise<readonly string[]> =>
    (await readdir(folder))
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(folder, name));
  return {
    recall: async (dockerId) => {
      const image = await readRecord(fileOf(dockerId));
      return image !== undefined && (await isWhole(image)) ? image : undefined;
    },
    remember: (dockerId, image) => writeWhole(fileOf(dockerId), JSON.stringify(image)),
    images: async () =>
      (await Promise.all((await files()).map(readRecord))).filter((image) => image !== undefined),
    forgetLost: async () => {
      for (const file of await files()) {
        const image = await readRecord(file);
        if (image === undefined || !(await isWhole(image))) await rm(file, { force: true });
      }
    },
  };
}

/** A record that a power cut left half written is none: the image is exported once more. */
async function readRecord(file: string): Promise<Unnamed | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Unnamed;
  } catch {
    return undefined;
  }
}
