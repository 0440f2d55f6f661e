import type { ShipImage } from '../core/image.ts';
import type { Argv } from '../core/remote.ts';
import { counted } from '../core/text.ts';
import { LAYOUT } from '../facts/node-paths.ts';
import { PINNED_LABEL, qualified } from '../facts/node-store.ts';
import { ctr, type SentBlob } from './decode.ts';

/** An image and the name it is imported under before it is proved. */
export interface Staged {
  readonly image: ShipImage;
  readonly staging: string;
}

/** A host that is no registry, so that nobody can mistake the name for an image to run. */
export const STAGING = 'ciliumship.local/staging/';

/** @param token unique to the run */
export function stagingName({ config }: ShipImage, token: string): string {
  return `${STAGING}${config.digest.slice(7, 19)}:${token}`;
}

/** Both final names, then both pinned: a name is never seen without what it points at. */
export function namingCommands({ image, staging }: Staged): readonly Argv[] {
  const names = [image.name, image.digestName].map(qualified);
  return [
    ctr('images', 'tag', '--force', staging, ...names),
    ...names.map((name) => ctr('images', 'label', name, `${PINNED_LABEL}=pinned`)),
  ];
}

/** What a dry run prints of an import. */
export function planLines(
  { sent }: { readonly sent: readonly SentBlob[] },
  staged: readonly Staged[],
): readonly string[] {
  return [
    `sudo sh: decode and hash ${counted(sent.length, 'blob')} into ${LAYOUT}`,
    ...staged.map(
      ({ staging }) =>
        `sudo sh: tar -cf - oci-layout … index.json | k3s ctr -n k8s.io images import -   (as ${staging})`,
    ),
    `sudo rm -rf ${LAYOUT}/blobs`,
    'sudo sync',
    ...staged.flatMap(namingCommands).map((argv) => `sudo ${argv.join(' ')}`),
    ...staged.map(({ staging }) => `sudo ${ctr('images', 'rm', staging).join(' ')}`),
    `sudo rm -rf ${LAYOUT}`,
  ];
}
