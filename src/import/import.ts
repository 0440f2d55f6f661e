import type { Blob, ImageProof, ShipImage } from '../core/image.ts';
import type { Remote } from '../core/remote.ts';
import type { Run, Step } from '../core/step.ts';
import { counted } from '../core/text.ts';
import { parseContent } from '../facts/containerd.ts';
import { INBOX, LAYOUT } from '../facts/node-paths.ts';
import { isProved, proofOf, type NodeImages } from '../facts/node-store.ts';
import { ctr, decodeAll, rooted, type SendWhole, type SentBlob } from './decode.ts';
import { endImport } from './end.ts';
import { giveBack } from './give-back.ts';
import { importCommand } from './layout.ts';
import { namingCommands, planLines, stagingName, type Staged } from './names.ts';
import { proveImage, proveStaged } from './prove.ts';
import { sweepNode, unstage } from './sweep.ts';

/** What to import on one node, after its blobs arrived. */
export interface ImportPlan {
  readonly node: string;
  readonly images: readonly ShipImage[];
  /** They lie decoded in root's layout. */
  readonly sent: readonly SentBlob[];
}

export interface ImportTools {
  readonly remote: Remote;
  /** The same node, also when it is not ours any more: for ending what we began on it. */
  readonly unheld: Remote;
  /** Leaves the node locked at the end: something of ours may still be at work on it. */
  readonly keepLock: (why: unknown) => void;
  /** Looks at the images of the node anew. */
  readonly probe: (signal: AbortSignal) => Promise<NodeImages>;
  /** What it had since it was ours; looked at when absent. */
  readonly before?: NodeImages;
  /** Makes staging names unique to this run. */
  readonly token: string;
  /** Of the stream into containerd, in bytes per second. */
  readonly maxRate: number | undefined;
  /** Brings a layer whose patch the node cannot apply. */
  readonly sendWhole: SendWhole;
  /** Throws when the node is not ours any more; asked before a final name moves. */
  readonly requireLock: () => Promise<void>;
}

/**
 * The step that makes the received blobs images of a node: all of them under staging names first
 * and proved, and only then under their final names. Until that moment every old image stays as it
 * is (design §8).
 */
export function importStep(plan: ImportPlan, tools: ImportTools): Step<readonly ImageProof[]> {
  const staged = plan.images.map((image) => ({ image, staging: stagingName(image, tools.token) }));
  return {
    id: plan.node,
    title: `import ${counted(plan.images.length, 'image')} on ${plan.node}`,
    plan: () => planLines(plan, staged),
    run: (run) => importAll(plan, staged, tools, run),
    describe: (proofs) => `${plan.node} proved ${proofs.length} of ${plan.images.length}`,
  };
}

async function importAll(
  plan: ImportPlan,
  staged: readonly Staged[],
  tools: ImportTools,
  run: Run,
): Promise<readonly ImageProof[]> {
  const { remote } = tools;
  const before = tools.before ?? (await tools.probe(run.signal));
  await sweepNode(remote, before, tools.probe, run.signal);
  let naming = false;
  try {
    const store = await stageAll(plan, staged, tools, run);
    for (const { image, staging } of staged) proveStaged(plan.node, image, staging, store);
    // containerd has all of it by now, under the staging names; what has to reach the disk is less then.
    await remote.run(['rm', '-rf', '--one-file-system', `${LAYOUT}/blobs`], rooted(run.signal));
    await remote.run(['sync'], rooted(run.signal));
    await tools.requireLock();
    run.signal.throwIfAborted();
    naming = true;
    // From here on without the signal: names that moved half way help nobody.
    for (const argv of staged.flatMap(namingCommands)) await remote.run(argv, rooted());
  } catch (error) {
    if (!naming) await giveBack(error, plan.sent, remote);
    throw error;
  } finally {
    await unstage(tools, staged, naming ? undefined : before);
  }
  const proofs = await proveAll(plan, tools, run);
  await cleanNode(remote, run.signal);
  return proofs;
}

/** One look serves all images that are proved by then; the CRI may be late with the others. */
async function proveAll(
  { node, images }: ImportPlan,
  { probe }: ImportTools,
  run: Run,
): Promise<readonly ImageProof[]> {
  const store = await probe(run.signal);
  const proofs: ImageProof[] = [];
  for (const image of images) {
    const proof = proofOf(store, image);
    const again = (): Promise<NodeImages> => probe(run.signal);
    proofs.push(isProved(proof) ? proof : await proveImage(node, image, again, run.signal));
  }
  return proofs;
}

/**
 * Imports images under their staging names. A layer that left the node since we looked is sent and
 * its image imported once more (F25): ctr fails without it, or is content with half an image when the
 * layer is still unpacked.
 *
 * @returns what the node has then
 */
async function stageAll(
  plan: ImportPlan,
  staged: readonly Staged[],
  tools: ImportTools,
  run: Run,
): Promise<NodeImages> {
  for (const one of staged) {
    run.progress({ text: `import ${one.image.name}` });
    try {
      await stageImage(plan, one, tools, run, 'first');
    } catch (error) {
      if (!(await stageWithGone(plan, one, tools, run))) throw error;
    }
  }
  const store = await tools.probe(run.signal);
  const half = staged.filter(({ staging }) => store.checked.get(staging)?.complete === false);
  for (const one of half) await stageWithGone(plan, one, tools, run);
  return half.length === 0 ? store : tools.probe(run.signal);
}

/**
 * Imports one image. However this ends, the import is over on the node; where that cannot be had, the
 * node stays locked.
 */
async function stageImage(
  { sent }: Pick<ImportPlan, 'sent'>,
  { image, staging }: Staged,
  tools: ImportTools,
  run: Run,
  time: 'first' | 'again',
): Promise<void> {
  const { remote, unheld, maxRate, keepLock } = tools;
  const token = `${tools.token}-${image.config.digest.slice(7, 19)}-${time}`;
  const blobs = sent.map(({ blob }) => blob);
  const argv = importCommand(image, { staging, token, maxRate }, blobs);
  try {
    await remote.run(argv, rooted(run.signal));
  } catch (error) {
    await endImport(unheld, token).catch(keepLock);
    throw error;
  }
}

/** Imports an image with the layers that left the node. @returns whether there were any */
async function stageWithGone(
  { node, sent }: ImportPlan,
  staged: Staged,
  tools: ImportTools,
  run: Run,
): Promise<boolean> {
  const { remote, sendWhole } = tools;
  const blobs = sent.map(({ blob }) => blob);
  const gone = await layersGone(staged.image, blobs, remote, run.signal);
  if (gone.length === 0) return false;
  const again: SentBlob[] = [];
  for (const layer of gone) again.push(await sendWhole(layer, 'it left the node meanwhile', run));
  await decodeAll(node, again, remote, run, sendWhole);
  await stageImage({ sent: [...sent, ...again] }, staged, tools, run, 'again');
  return true;
}

/** Layers that the node was thought to have, and has not. */
async function layersGone(
  image: ShipImage,
  sent: readonly Blob[],
  remote: Remote,
  signal: AbortSignal,
): Promise<readonly Blob[]> {
  const kept = image.layers.filter((layer) => !sent.some(({ digest }) => digest === layer.digest));
  if (kept.length === 0) return [];
  const { stdout } = await remote.run(ctr('content', 'ls', '-q'), rooted(signal));
  const there = parseContent(stdout);
  return kept.filter(({ digest }) => !there.has(digest));
}

/** Removes our files from a node; what is in the content store stays. */
export async function cleanNode(remote: Remote, signal: AbortSignal): Promise<void> {
  await remote.run(['rm', '-rf', '--one-file-system', LAYOUT, INBOX], { sudo: true, signal });
}
