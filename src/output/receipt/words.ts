import { shortDigest } from '../../core/digest.ts';
import { counted, formatSeconds } from '../../core/text.ts';
import { formatBytes } from '../progress.ts';
import type { Receipt, ReceiptImage, ReceiptNode } from './schema.ts';
import { totalsOf } from './totals.ts';

/** What every rendering of a receipt says in the same words. */

/** The outcome of a run in a few words. */
export function headline({ command, error, nodes, images, deploy }: Receipt): string {
  if (error !== undefined) return `the ${command} failed`;
  if (deploy?.state === 'deployed') {
    return `revision ${deploy.revision ?? '?'} runs on ${counted(deploy.agents.length, 'node')}`;
  }
  if (nodes.length === 0) return done(command, deploy?.state);
  if (nodes.every(({ state }) => state === 'nothing to do')) return 'there was nothing to do';
  const { proved } = totalsOf(nodes);
  return `${counted(images.length, 'image')} proved on ${counted(proved, 'node')}`;
}

function done(command: string, state: string | undefined): string {
  return state === 'nothing to do' ? 'there was nothing to do' : `the ${command} is done`;
}

/**
 * When it was, how long it took, and from which source. A tree with uncommitted files must say so:
 * its commit alone does not name what was built.
 */
export function whenAndWhat({ started, seconds, source }: Receipt): readonly string[] {
  const when = `${started.slice(0, 10)} ${started.slice(11, 16)} UTC`;
  if (source === undefined) return [when, formatSeconds(seconds)];
  const changed = source.changed.length;
  const dirty = changed === 0 ? '' : ` + ${counted(changed, 'file')} not committed`;
  const tree = `Cilium ${source.version} at ${source.commit.slice(0, 9)}${dirty}`;
  return [when, formatSeconds(seconds), tree];
}

/** Whether a node proved an image, and what it had before: `was 45c48cce2e2d`. */
export function placeOf(
  { key, config }: ReceiptImage,
  { before, images }: ReceiptNode,
): { readonly proved: boolean; readonly note: string } {
  const old = before[key];
  const proved = images.some((proof) => proof.key === key);
  if (old === undefined) return { proved, note: proved ? 'new here' : '' };
  if (!proved) return { proved, note: `still ${shortDigest(old)}` };
  return { proved, note: old === config ? 'as before' : `was ${shortDigest(old)}` };
}

/** Size of an image, where it is known. */
export function sizeText({ size }: ReceiptImage): string {
  return size === undefined ? '' : formatBytes(size);
}

/** Layers that travelled as patches, and those that would have if something had not been in the way. */
export function patchNotes({ sent }: ReceiptNode): readonly string[] {
  return sent.flatMap(({ digest, base, bytes, size, sentWhole }) => {
    const share = `${formatBytes(bytes)} of ${formatBytes(size)}`;
    const layer = `layer ${shortDigest(digest)}`;
    if (sentWhole !== undefined) return [`${layer} patch → sent whole: ${sentWhole} (${share})`];
    return base === undefined ? [] : [`${layer} as a patch of ${shortDigest(base)}: ${share}`];
  });
}
