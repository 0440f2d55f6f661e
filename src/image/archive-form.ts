import { PassThrough, type Duplex } from 'node:stream';
import zlib from 'node:zlib';
import { ShipError } from '../core/errors.ts';
import { packZstd, requireZstd, unpackZstd } from './zstd.ts';

/** How an archive is compressed. */
export type ArchiveForm = 'zstd' | 'gzip' | 'plain';

const ENDINGS: readonly (readonly [ending: RegExp, form: ArchiveForm])[] = [
  [/\.(?:tar\.zst|tzst)$/, 'zstd'],
  [/\.(?:tar\.gz|tgz)$/, 'gzip'],
  [/\.tar$/, 'plain'],
];

/** The form that the name of a file asks for. Throws ShipError `usage` for none, or one that cannot be. */
export function formOfName(file: string): ArchiveForm {
  const form = ENDINGS.find(([ending]) => ending.test(file))?.[1];
  if (form === 'zstd') requireZstd(file);
  if (form !== undefined) return form;
  throw new ShipError('usage', `${file}: the end of the name says how to compress it`, {
    hint: `end it in .tar.zst, .tar.gz or .tar: ciliumship save ${file}.tar.gz`,
  });
}

/** The form that the first bytes of a file or layer show, whatever it is called. */
export function formOfBytes(bytes: Uint8Array): ArchiveForm {
  const magic = Buffer.from(bytes.subarray(0, 4)).toString('hex');
  if (magic.startsWith('1f8b')) return 'gzip';
  return magic === '28b52ffd' ? 'zstd' : 'plain';
}

/** A stream that compresses. The same bytes in give the same bytes out. */
export function compressor(form: ArchiveForm): Duplex {
  if (form === 'gzip') return zlib.createGzip({ level: 6 });
  return form === 'zstd' ? packZstd() : new PassThrough();
}

/** A stream that decompresses. */
export function decompressor(form: ArchiveForm): Duplex {
  if (form === 'gzip') return zlib.createGunzip();
  return form === 'zstd' ? unpackZstd('the archive') : new PassThrough();
}
