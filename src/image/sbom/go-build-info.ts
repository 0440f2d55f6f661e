import { purl, type Package } from './package.ts';

/** What the linker of Go writes in front of how a program was built. */
const MAGIC = Buffer.from('\u00ff Go buildinf:', 'latin1');
const ELF = Buffer.from('\u007fELF', 'latin1');
const HEADER = 32;
/** Says at byte 15 that both texts follow the header, as all do since Go 1.18. */
const INLINE = 2;
/** Bytes after the magic that are kept; the list of a large program is a tenth of it. */
const MOST = 1024 * 1024;
const VERSION = /^(?:go|devel )/;

/**
 * Reads how a Go program was built from its bytes, in one pass and without keeping it: the compiler
 * leaves its version and every module with its version and sum in the program (`go version -m`
 * prints the same).
 *
 * @returns undefined when it is no Go program, or one of before Go 1.18
 */
export async function readGoProgram(
  bytes: AsyncIterable<unknown>,
): Promise<readonly Package[] | undefined> {
  let kept: Buffer = Buffer.alloc(0);
  let found: readonly Package[] | undefined;
  let isElf: boolean | undefined;
  for await (const chunk of bytes) {
    if (found !== undefined || isElf === false) continue;
    kept = Buffer.concat([kept, chunk as Uint8Array]);
    if (kept.length < ELF.length) continue;
    isElf ??= kept.subarray(0, ELF.length).equals(ELF);
    ({ found, kept } = search(kept, MOST));
  }
  return found ?? (isElf === true ? search(kept, 0).found : undefined);
}

/** @param need bytes that must follow the magic for what follows it to be read */
function search(bytes: Buffer, need: number) {
  for (let at = bytes.indexOf(MAGIC); at >= 0; at = bytes.indexOf(MAGIC, at + 1)) {
    if (bytes.length - at < need) return { found: undefined, kept: bytes.subarray(at) };
    // The magic is also text of programs that look for it.
    const found = readBuildInfo(bytes.subarray(at, at + MOST));
    if (found !== undefined) return { found, kept: Buffer.alloc(0) };
  }
  return { found: undefined, kept: bytes.subarray(Math.max(0, bytes.length - MAGIC.length)) };
}

function readBuildInfo(bytes: Buffer): readonly Package[] | undefined {
  if (((bytes[15] ?? 0) & INLINE) === 0) return undefined;
  const version = textAt(bytes, HEADER);
  const modules = version === undefined ? undefined : textAt(bytes, version.end);
  if (version === undefined || modules === undefined || !VERSION.test(version.text)) {
    return undefined;
  }
  const compiler = version.text.replace(/^go/, '').split(' ')[0] ?? '';
  const standard = {
    name: 'stdlib',
    version: compiler,
    purl: purl('golang', ['stdlib'], compiler),
  };
  // 16 bytes on both sides mark the list for debuggers.
  return [standard, ...readModules(modules.text.slice(16, -16))];
}

/** A text behind its length, which is written seven bits a byte. */
function textAt(
  bytes: Buffer,
  start: number,
): { readonly text: string; readonly end: number } | undefined {
  let length = 0;
  for (let index = 0; index < 4; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    length |= (byte & 0x7f) << (7 * index);
    if (byte >= 0x80) continue;
    const end = start + index + 1 + length;
    if (end > bytes.length) return undefined;
    return { text: bytes.toString('latin1', start + index + 1, end), end };
  }
  return undefined;
}

/** Lines such as `dep\tPATH\tVERSION\tSUM`; one of `=>` says what the module before it was replaced by. */
function readModules(text: string): readonly Package[] {
  const modules: Package[] = [];
  for (const line of text.split('\n')) {
    const [kind = '', path = '', version = ''] = line.split('\t');
    if (kind === '=>') modules.pop();
    else if (kind !== 'mod' && kind !== 'dep') continue;
    if (path === '') continue;
    const known = version === '' ? '(devel)' : version;
    modules.push({ name: path, version: known, purl: purl('golang', path.split('/'), known) });
  }
  return modules;
}
