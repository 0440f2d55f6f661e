/** A piece of software inside an image. */
export interface Package {
  readonly name: string;
  readonly version: string;
  /** Package URL: `pkg:deb/debian/zlib1g@1:1.2.13?arch=amd64`. */
  readonly purl: string;
  /** As its maker writes it; undefined when nobody says. */
  readonly license?: string | undefined;
  readonly supplier?: string | undefined;
}

/** A package URL. Each part is written so that no part can end it early. */
export function purl(
  type: string,
  path: readonly string[],
  version: string,
  qualifiers: Readonly<Record<string, string>> = {},
): string {
  const name = path.map(encodeURIComponent).join('/');
  const query = Object.entries(qualifiers).filter(([, value]) => value !== '');
  const end = query.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&');
  return `pkg:${type}/${name}@${encodeURIComponent(version)}${end === '' ? '' : `?${end}`}`;
}
