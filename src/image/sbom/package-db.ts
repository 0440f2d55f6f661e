import { purl, type Package } from './package.ts';

/** Where an image keeps what its package manager installed. */
const DPKG = /^var\/lib\/dpkg\/(?:status|status\.d\/[^/]+)$/;
const APK = /^(?:usr\/)?lib\/apk\/db\/installed$/;
/** Their form is a database of its own, for which there is no reader here. */
const UNREAD =
  /^(?:var|usr)\/(?:lib\/rpm|lib\/sysimage\/rpm)\/(?:Packages(?:\.db)?|rpmdb\.sqlite)$/;

/** Reads the list of a package manager. */
export type ReadList = (text: string, distribution: string) => readonly Package[];

/** What reads the list at a path of an image; `unread` for one that nothing here can read. */
export function listReader(path: string): ReadList | 'unread' | undefined {
  // Distroless images have the sums of a package's files beside it.
  if (DPKG.test(path) && !path.endsWith('.md5sums')) return readDpkg;
  if (APK.test(path)) return readApk;
  return UNREAD.test(path) ? 'unread' : undefined;
}

/** Stanzas of `Field: value`, a blank line between them; lines that begin with a space go on. */
function readDpkg(text: string, distribution: string): readonly Package[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map(
      [...stanza.matchAll(/^([A-Za-z-]+):[ \t]*(.*)$/gm)].map(([, name = '', value = '']) => [
        name,
        value.trim(),
      ]),
    );
    const name = fields.get('Package');
    const version = fields.get('Version');
    const state = fields.get('Status') ?? 'install ok installed';
    if (name === undefined || version === undefined || !state.endsWith(' installed')) return [];
    const arch = fields.get('Architecture') ?? '';
    return [
      {
        name,
        version,
        purl: purl('deb', [distribution || 'debian', name], version, { arch }),
        supplier: fields.get('Maintainer'),
      },
    ];
  });
}

/** Stanzas of `P:name`, one letter for each field. */
function readApk(text: string, distribution: string): readonly Package[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map(
      [...stanza.matchAll(/^([A-Za-z]):(.*)$/gm)].map(([, name = '', value = '']) => [
        name,
        value.trim(),
      ]),
    );
    const name = fields.get('P');
    const version = fields.get('V');
    if (name === undefined || version === undefined) return [];
    const arch = fields.get('A') ?? '';
    return [
      {
        name,
        version,
        purl: purl('apk', [distribution || 'alpine', name], version, { arch }),
        license: fields.get('L'),
        supplier: fields.get('m'),
      },
    ];
  });
}
