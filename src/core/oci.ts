import type { ShipImage } from './image.ts';

export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

/** The file that says that a folder or an archive is an OCI image layout. */
export const LAYOUT_TEXT = '{"imageLayoutVersion":"1.0.0"}';

/** Where containerd looks for the name that an image is imported under. */
export const NAME_ANNOTATION = 'io.containerd.image.name';

/** An image and a full reference that an index gives it. */
export interface NamedImage {
  readonly image: ShipImage;
  readonly name: string;
}

/** The `index.json` of a layout, which gives images their names. */
export function indexText(named: readonly NamedImage[]): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: named.map(entry) });
}

function entry({ image, name }: NamedImage): unknown {
  const [os = '', architecture = ''] = image.platform.split('/');
  return {
    mediaType: MANIFEST_TYPE,
    digest: image.manifest.digest,
    size: image.manifest.size,
    platform: { os, architecture },
    annotations: { [NAME_ANNOTATION]: name },
  };
}
