import { digestOf, hexOf } from '../../core/digest.ts';
import type { ShipImage } from '../../core/image.ts';
import { VERSION } from '../../core/version.ts';
import type { Contents } from './contents.ts';
import { purl, type Package } from './package.ts';

const NONE = 'NOASSERTION';
const IMAGE = 'SPDXRef-image';

/**
 * The contents of an image as SPDX 2.3 (https://spdx.github.io/spdx-spec/v2.3/). The same image gives
 * the same document.
 *
 * @param created of the image, as its config says
 */
export function spdxDocument(image: ShipImage, contents: Contents, created: string): object {
  const all = [...contents.packages].flatMap(([path, packages]) =>
    packages.map((one) => ({ ...one, path })),
  );
  const byPurl = [...Map.groupBy(all, (one) => one.purl)];
  const elements = byPurl
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, [first, ...others]]) => element(id, first, others));
  const { config, name } = image;
  const digest = hexOf(config.digest);
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name,
    documentNamespace: `https://spdx.org/spdxdocs/ciliumship-${digest}`,
    creationInfo: {
      created,
      creators: [`Tool: ciliumship-${VERSION}`],
      ...(contents.unread.length === 0
        ? {}
        : { comment: `not read, so what they list is missing: ${contents.unread.join(', ')}` }),
    },
    packages: [imageElement(image), ...elements],
    relationships: [
      relationship('SPDXRef-DOCUMENT', 'DESCRIBES', IMAGE),
      ...elements.map(({ SPDXID }) => relationship(IMAGE, 'CONTAINS', SPDXID)),
    ],
  };
}

function imageElement({ name, config, manifest }: ShipImage) {
  const [repository = name] = name.split(/:(?=[^/]*$)/);
  const path = purl('oci', [repository.split('/').at(-1) ?? ''], manifest.digest, {
    repository_url: repository,
  });
  return {
    ...common(IMAGE, name, config.digest),
    checksums: [{ algorithm: 'SHA256', checksumValue: hexOf(config.digest) }],
    primaryPackagePurpose: 'CONTAINER',
    externalRefs: [reference(path)],
  };
}

interface Placed extends Package {
  readonly path: string;
}

function element(id: string, first: Placed | undefined, others: readonly Placed[]) {
  const paths = [first, ...others].flatMap((one) => one?.path ?? []);
  const { name = '', version = '', license, supplier } = first ?? {};
  return {
    ...common(`SPDXRef-${hexOf(digestOf(id)).slice(0, 24)}`, name, version),
    ...(supplier === undefined ? {} : { supplier: `Organization: ${supplier}` }),
    // The words of a package's maker; they may be no licence expression of SPDX.
    ...(license === undefined ? {} : { licenseComments: license }),
    sourceInfo: `found in /${[...new Set(paths)].toSorted().join(', /')}`,
    externalRefs: [reference(id)],
  };
}

function common(id: string, name: string, version: string) {
  return {
    SPDXID: id,
    name,
    versionInfo: version,
    downloadLocation: NONE,
    filesAnalyzed: false,
    licenseConcluded: NONE,
    licenseDeclared: NONE,
    copyrightText: NONE,
  };
}

function reference(locator: string) {
  return {
    referenceCategory: 'PACKAGE-MANAGER',
    referenceType: 'purl',
    referenceLocator: locator,
  };
}

function relationship(from: string, type: string, to: string) {
  return { spdxElementId: from, relationshipType: type, relatedSpdxElement: to };
}
