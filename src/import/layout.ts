import { hexOf } from '../core/digest.ts';
import { blobsOf, totalSize, type Blob, type ShipImage } from '../core/image.ts';
import { indexText } from '../core/oci.ts';
import type { Argv } from '../core/remote.ts';
import { isPatch, type Patch, type WireForm } from '../core/wire.ts';
import { CONTENT, INBOX, LAYOUT, wireName } from '../facts/node-paths.ts';

/** The commands that turn received files into an OCI layout and feed it to containerd. */

const DECODERS = { zstd: 'zstd -dcq', gzip: 'gzip -dc', plain: 'cat' } as const;

/** Exit codes of the decode script: other bytes than their name says, and no room for them. */
export const WRONG_BYTES = 65;
export const NO_SPACE = 28;
/** The layer that a patch is made of is not on the node, or is another one. */
export const BASE_GONE = 67;
export const BASE_CHANGED = 68;
const NOT_THERE = 66;

/** A node has other things to do: decoding, hashing and tar come last for processor and disk. */
const GENTLE = '{ renice -n 10 -p $$ && ionice -c 2 -n 7 -p $$; } > /dev/null 2>&1 || true';

/** What zstd allows by itself; a patch needs a window as large as its layers. */
const LEAST_WINDOW = 128 * 1024 * 1024;

/** The base is hashed through the descriptor that zstd then reads: it cannot leave meanwhile (D14). */
const OPEN_BASE = `[ -f "$5" ] || { rm -f "$2"; exit ${BASE_GONE}; }
exec 4< "$5"
is_whole /dev/fd/4 "$6" || { rm -f "$2"; exit ${BASE_CHANGED}; }
`;
const APPLY = 'zstd -dcq --memory="$7" --patch-from=/dev/fd/4';

/**
 * Decodes one received file into the layout. Root reads it through one open descriptor and hashes
 * its own copy, so that what is imported is what was hashed, whoever writes to the inbox. A blob
 * that an earlier run left is hashed again: that run may have ended with the power. Nothing but a
 * plain file is opened, and no more is written than the blob is long (D13). openssl hashes five times
 * as fast as Debian's sha256sum; where there is none that one does. The file has a name of its own
 * until it is whole: after a lost connection an earlier decode of the same blob may still be at work.
 */
export function decodeCommand(blob: Blob, form: WireForm): Argv {
  const hex = hexOf(blob.digest);
  const [open, decoder] = isPatch(form) ? [OPEN_BASE, APPLY] : ['', DECODERS[form]];
  const script = `set -eu
${GENTLE}
umask 077
mkdir -p "$1/blobs/sha256"
to="$1/blobs/sha256/$3"
part="$to.$$.part"
hash() { openssl dgst -sha256 -r 2> /dev/null < "$1" || sha256sum < "$1"; }
is_whole() { sum=$(hash "$1"); [ "\${sum%% *}" = "$2" ]; }
if [ -f "$to" ]; then
  if is_whole "$to" "$3"; then rm -f "$2"; exit 0; fi
  rm -f "$to"
  [ -e "$2" ] || [ -L "$2" ] || exit ${WRONG_BYTES}
fi
[ -e "$2" ] || [ -L "$2" ] || exit ${NOT_THERE}
{ [ -f "$2" ] && [ ! -L "$2" ]; } || { rm -rf "$2"; exit ${WRONG_BYTES}; }
exec 3< "$2"
rm -f "$to".*part
${open}if ! ${decoder} <&3 | head -c $(($4 + 1)) > "$part"; then
  rm -f "$part"
  free=$(df -P -B1 "$1" | awk 'END { print $4 }')
  [ "$free" -gt "$4" ] || exit ${NO_SPACE}
  rm -f "$2"; exit ${WRONG_BYTES}
fi
is_whole "$part" "$3" || { rm -f "$part" "$2"; exit ${WRONG_BYTES}; }
mv "$part" "$to"
rm -f "$2"`;
  const from = `${INBOX}/${wireName(blob.digest, form)}`;
  const more = isPatch(form) ? patchArguments(blob, form) : [];
  return ['sh', '-c', script, 'decode', LAYOUT, from, hex, String(blob.size), ...more];
}

/** Where the base lies, its digest, and the largest window: never the file says how much memory. */
function patchArguments(blob: Blob, { base }: Patch): readonly string[] {
  const hex = hexOf(base.digest);
  return [`${CONTENT}/${hex}`, hex, String(Math.max(LEAST_WINDOW, base.size, blob.size))];
}

/** How an image is streamed into containerd. */
export interface ImportOptions {
  readonly staging: string;
  /** Unique to this import. */
  readonly token: string;
  /** Bytes per second; as fast as it goes when undefined. */
  readonly maxRate: number | undefined;
}

/** Lets `$1` bytes through in each second, for `$2` seconds, and then the rest. */
const PACED = `paced() { while [ "$2" -gt 0 ]; do head -c "$1"; sleep 1; set -- "$1" $(($2 - 1)); done; cat; }`;

/**
 * Streams a layout into `ctr images import`. Blobs that the node has are left out: containerd finds
 * them in its content store. `index.json` comes last, so that a cut stream names nothing. containerd
 * names what it writes after the paths, and goes on unseen where an import that was killed stopped:
 * so each has paths of its own, and a folder of its own by which it is found while it runs (end.ts).
 * That it began is on the disk first, for the power may go (D18).
 */
export function importCommand(
  image: ShipImage,
  { staging, token, maxRate }: ImportOptions,
  sent: readonly Blob[],
): Argv {
  const own = new Set(blobsOf(image).map((blob) => blob.digest));
  const blobs = sent.filter((blob) => own.has(blob.digest));
  const pace = maxRate === undefined ? '' : ` | paced ${maxRate} ${seconds(blobs, maxRate)}`;
  const script = `set -eu
${GENTLE}
${PACED}
cd "$1"; index=$2; own=$3; shift 3
mkdir -p "$own"; cd "$own"
[ ! -e stop ]
ln -sfn .. "$own"
printf '{"imageLayoutVersion":"1.0.0"}' > oci-layout
printf '%s' "$index" > index.json
date +%s > ../importing; sync ../importing 2> /dev/null || sync
{ tar -cf - oci-layout "$@" index.json; echo $? > tar; }${pace} | k3s ctr -n k8s.io images import -
[ "$(cat tar)" = 0 ]
rm -f ../importing`;
  const index = indexText([{ image, name: staging }]);
  const paths = blobs.map((blob) => `${token}/blobs/sha256/${hexOf(blob.digest)}`);
  return ['sh', '-c', script, 'import', LAYOUT, index, token, ...paths];
}

function seconds(blobs: readonly Blob[], maxRate: number): number {
  return Math.ceil(totalSize(blobs) / maxRate);
}
