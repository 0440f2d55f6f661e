import { shortDigest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { Blob } from '../core/image.ts';
import type { Argv, Remote, RunOptions } from '../core/remote.ts';
import type { Run } from '../core/step.ts';
import { LAYOUT } from '../facts/node-paths.ts';
import { decodeCommand, NO_SPACE, WRONG_BYTES } from './layout.ts';

/** A blob that was sent, and the form it travelled in. */
export interface SentBlob {
  readonly blob: Blob;
  readonly form: 'zstd' | 'gzip' | 'plain';
}

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
 * Decodes and hashes every received blob into root's layout.
 *
 * @throws ShipError `integrity` for other bytes (they are removed), `storage` without room
 */
export async function decodeAll(
  node: string,
  sent: readonly SentBlob[],
  remote: Remote,
  run: Run,
): Promise<void> {
  for (const [index, { blob, form }] of sent.entries()) {
    run.progress({ text: `check blob ${index + 1} of ${sent.length}` });
    const options = { ...rooted(run.signal), accept: [WRONG_BYTES, NO_SPACE] };
    const { code } = await remote.run(decodeCommand(blob, form), options);
    if (code === NO_SPACE) throw full(node, blob);
    if (code === WRONG_BYTES) throw otherBytes(node, blob);
  }
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
    { hint: `make room on ${node} (sudo k3s crictl rmi --prune), then run the same command again` },
  );
}
