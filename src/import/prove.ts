import { setTimeout as sleep } from 'node:timers/promises';
import { shortDigest } from '../core/digest.ts';
import { ShipError } from '../core/errors.ts';
import type { ImageProof, ShipImage } from '../core/image.ts';
import { isProved, proofOf, type NodeImages } from '../facts/node-store.ts';

/** The CRI learns of an image by an event, a moment after containerd has it. */
const CRI_WAIT = 15_000;
const CRI_PAUSE = 200;

/**
 * Checks what was imported before any final name moves.
 *
 * @throws ShipError `integrity` for another digest, `storage` when it is not complete or unpacked
 */
export function proveStaged(
  node: string,
  image: ShipImage,
  staging: string,
  store: NodeImages,
): void {
  const found = store.checked.get(staging);
  if (found?.digest !== image.manifest.digest) {
    const seen = found === undefined ? 'nothing' : shortDigest(found.digest);
    throw new ShipError(
      'integrity',
      `${node}: ${image.name} was imported as ${seen}, not ${shortDigest(image.manifest.digest)}`,
      { hint: 'run the same command again', retryable: true },
    );
  }
  if (found.complete && found.unpacked) return;
  const what = found.complete ? 'not unpacked' : 'not complete';
  throw new ShipError('storage', `${node}: ${image.name} is ${what} after its import`, {
    hint: `run the same command again; see: k3s ctr -n k8s.io images check (on ${node})`,
    retryable: true,
  });
}

/**
 * Looks until the node says everything about the image that makes it proved.
 *
 * @param wait milliseconds that the CRI is given
 * @throws ShipError `storage` naming what is missing
 */
export async function proveImage(
  node: string,
  image: ShipImage,
  probe: () => Promise<NodeImages>,
  signal: AbortSignal,
  wait = CRI_WAIT,
): Promise<ImageProof> {
  const end = performance.now() + wait;
  for (;;) {
    const proof = proofOf(await probe(), image);
    if (isProved(proof)) return proof;
    if (performance.now() > end) throw unproved(node, image, proof);
    await sleep(CRI_PAUSE, undefined, { signal });
  }
}

function unproved(node: string, image: ShipImage, proof: ImageProof | undefined): ShipError {
  const found = {
    'no such name': proof === undefined,
    'not complete': proof?.complete === false,
    'not unpacked': proof?.unpacked === false,
    'not pinned': proof?.pinned === 'unpinned',
    'not seen by the CRI': proof?.cri === false,
  };
  const missing = Object.entries(found).flatMap(([what, is]) => (is ? [what] : []));
  return new ShipError('storage', `${node}: ${image.name} is not proved: ${missing.join(', ')}`, {
    hint: `run the same command again; see: sudo k3s crictl images (on ${node})`,
    retryable: true,
  });
}
