import { shortDigest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { Blob } from '../core/image.ts';
import type { Argv, Remote, RunOptions } from '../core/remote.ts';
import type { Run } from '../core/step.ts';
import { isPatch, type WireForm } from '../core/wire.ts';
import { LAYOUT } from '../facts/node-paths.ts';
import { BASE_CHANGED, BASE_GONE, decodeCommand, NO_SPACE, WRONG_BYTES } from './layout.ts';

/** A blob that was sent, and the form it travelled in. */
export interface SentBlob {
  readonly blob: Blob;
  readonly form: WireForm;
}

/** Sends a layer once more, as a whole, and says in which form. Throws as the sending itself does. */
export type SendWhole = (layer: Blob, why: string, run: Run) => Promise<SentBlob>;

const TIMEOUT = 10 * 60_000;

/** `ctr` of K3s's own containerd, in the namespace that Kubernetes looks at (K2). */
export function ctr(...args: readonly string[]): Argv {
  return ['k3s', 'ctr', '-n', 'k8s.io', ...args];
}

/** Options of a command that may take minutes, as root. */
export function rooted(signal?: AbortSignal): RunOptions {
  return { sudo: true, timeout: TIMEOUT, ...(signal === undefined ? {} : { signal }) };
}

/**
 * Decodes and hashes received blobs into root's layout, one after the other. A layer whose patch the
 * node cannot apply is sent as a whole instead.
 *
 * @throws ShipError `integrity` for other bytes (they are removed), `storage` without room
 */
export async function decodeAll(
  node: string,
  sent: readonly SentBlob[],
  remote: Remote,
  run: Run,
  sendWhole: SendWhole,
): Promise<void> {
  for (const one of sent) {
    const refused = await decode(node, one, remote, run);
    if (refused === undefined) continue;
    await decode(node, await sendWhole(one.blob, refused, run), remote, run);
  }
}

/** Why a node cannot apply a patch, by the exit code of the decode script. */
const REFUSED: Readonly<Record<number, string>> = {
  [WRONG_BYTES]: 'the patch gave other bytes',
  [BASE_GONE]: 'the layer it is a patch of is gone from the node',
  [BASE_CHANGED]: 'the layer it is a patch of has other bytes on the node',
};

/** @returns why a patch was refused; undefined when the blob is decoded */
async function decode(
  node: string,
  { blob, form }: SentBlob,
  remote: Remote,
  run: Run,
): Promise<string | undefined> {
  const accept = [NO_SPACE, ...Object.keys(REFUSED).map(Number)];
  const { code } = await remote.run(decodeCommand(blob, form), { ...rooted(run.signal), accept });
  if (code === NO_SPACE) throw full(node, blob);
  const refused = REFUSED[code];
  if (refused !== undefined && !isPatch(form)) throw otherBytes(node, blob);
  return refused;
}

function otherBytes(node: string, { digest }: Blob): ShipError {
  return new ShipError(
    'integrity',
    `${node}: blob ${shortDigest(digest)} arrived with other bytes`,
    { hint: 'run the same command again; the blob is sent anew', retryable: true },
  );
}

function full(node: string, { digest, size }: Blob): ShipError {
  const megabytes = Math.ceil(size / 1e6);
  return new ShipError(
    'storage',
    `${node}: no room for blob ${shortDigest(digest)} of ${megabytes} MB under ${LAYOUT}`,
    { hint: `make room: ciliumship images prune --nodes ${node}, then run the same command again` },
  );
}
