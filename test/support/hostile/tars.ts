import { before, inserted, pick, type Attack, type Random } from './entries.ts';
import { octal, pax, rawTar } from './raw-tar.ts';

const PATHS = [
  '../escaped',
  'blobs/../../escaped',
  '/etc/cron.d/escaped',
  './index.json',
  'blobs/sha256/../../index.json',
  'blobs/sha256',
  'blobs/sha512/00',
  'C:\\escaped',
  'manifest.json',
  'index.json\n',
  '',
];
const TYPES = ['1', '2', '3', '4', '5', '6', '7', 'D', 'S', 'Z'];
const SIZES = ['-1', 'NaN', '99999999999999999999', '0', '1e9', '-9007199254740993'];

/** Tars that would write where they should not, or that say other sizes than they have. */
export const TAR_ATTACKS: Readonly<Record<string, Attack>> = {
  'a path that leads elsewhere': (entries, random) =>
    rawTar(inserted(entries, random, [{ name: pick(PATHS, random), bytes: Buffer.from('x') }])),
  'a path in an extended header': (entries, random) => {
    const override = pax({ path: pick(PATHS.slice(0, -1), random) });
    return rawTar(before(entries, random, override));
  },
  'a long path in the manner of GNU': (entries, random) => {
    const path = Buffer.from(`${'../'.repeat(random(1000))}escaped\0`);
    return rawTar(before(entries, random, { name: '././@LongLink', type: 'L', bytes: path }));
  },
  'what is no file': (entries, random) => {
    const { name } = pick(entries, random);
    const entry = { name, type: pick(TYPES, random), link: pick(PATHS, random) };
    return rawTar(inserted(entries, random, [entry]));
  },
  'a link in place of a blob': (entries, random) => {
    const at = random(entries.length);
    const link = pick(['/etc/passwd', '../../index.json', entries[0]?.name ?? ''], random);
    const type = pick(['1', '2'], random);
    return rawTar(
      entries.map((entry, index) =>
        index === at ? { ...entry, bytes: Buffer.alloc(0), type, link } : entry,
      ),
    );
  },
  'an entry twice': (entries, random) => {
    const { name, bytes } = pick(entries, random);
    const other = random(2) === 0 ? bytes : Buffer.from('other');
    return rawTar(inserted(entries, random, [{ name, bytes: other }]));
  },
  'a size in an extended header': (entries, random) =>
    rawTar(before(entries, random, pax({ size: pick(SIZES, random) }))),
  'an extended header without an end': (entries, random) =>
    rawTar(before(entries, random, { name: 'PaxHeader', type: 'x', size: octal('00200000000') })),
  'a size that is wrong': (entries, random) => {
    const at = random(entries.length);
    const size = pick(
      [
        octal('77777777777'),
        binary(0x80, 0x7f),
        binary(0xff, 0xf0),
        octal('-0000000001'),
        octal('00000000000'),
      ],
      random,
    );
    return rawTar(entries.map((entry, index) => (index === at ? { ...entry, size } : entry)));
  },
  'an entry less': (entries, random) => {
    const at = random(entries.length);
    return rawTar(entries.filter((_, index) => index !== at));
  },
  'an end that is missing': (entries, random) => {
    const whole = rawTar(entries);
    return whole.subarray(0, random(whole.length - 1536));
  },
  'no archive at all': (_, random) =>
    pick(
      [Buffer.alloc(0), Buffer.alloc(10_240), Buffer.from('<html>404</html>'), noise(random)],
      random,
    ),
};

/** Bytes changed anywhere: it is refused, or it holds the same images as before. */
export function flipBytes(whole: Buffer, random: Random): Buffer {
  const changed = Buffer.from(whole);
  for (let count = 1 + random(3); count > 0; count -= 1) {
    changed[random(changed.length)] = random(256);
  }
  return changed;
}

/** A size in base 256, as for what octal digits cannot hold. */
function binary(first: number, second: number): Buffer {
  return Buffer.from([first, second, ...Array.from({ length: 10 }, () => 0xff)]);
}

function noise(random: Random): Buffer {
  return Buffer.from(Array.from({ length: 2000 }, () => random(256)));
}
