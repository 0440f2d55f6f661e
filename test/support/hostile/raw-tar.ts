/** Tar archives with headers that no honest program writes. */

export interface RawEntry {
  readonly name: string;
  readonly bytes?: Uint8Array;
  /** The type flag: `0` a file, `2` a symbolic link, `x` an extended header. */
  readonly type?: string;
  readonly link?: string;
  /** What the header says of the size, instead of the truth: twelve bytes at most. */
  readonly size?: Uint8Array;
}

/** An archive of these entries, with a checksum that fits whatever the header says. */
export function rawTar(entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.map(entryBytes), Buffer.alloc(1024)]);
}

/** An extended header: it overrides fields of the entry that follows. */
export function pax(fields: Readonly<Record<string, string>>): RawEntry {
  const text = Object.entries(fields).map(([key, value]) => record(` ${key}=${value}\n`));
  return { name: 'PaxHeader', type: 'x', bytes: Buffer.from(text.join('')) };
}

/** A record begins with its own length, which counts the digits of that length too. */
function record(text: string): string {
  const length = Buffer.byteLength(text);
  const digits = String(length + String(length).length).length;
  return `${length + digits}${text}`;
}

function entryBytes({ name, bytes = Buffer.alloc(0), type = '0', link = '', size }: RawEntry) {
  const header = Buffer.alloc(512);
  header.write(name.slice(0, 100), 0);
  header.write('0000644\u00000000000\u00000000000\u0000', 100);
  header.set(size ?? octal(padded(bytes.length)), 124);
  header.set(octal(padded(0)), 136);
  header.write(' '.repeat(8) + type + link.slice(0, 100), 148);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** A size field of these digits. */
export function octal(digits: string): Buffer {
  return Buffer.from(`${digits}\0`);
}

function padded(value: number): string {
  return value.toString(8).padStart(11, '0');
}
