import type { ImageProof, ShipImage } from '../core/image.ts';
import type { Remote } from '../core/remote.ts';
import type { Run, Step } from '../core/step.ts';
import { INBOX, LAYOUT } from '../facts/node-paths.ts';
import { isProved, proofOf, type NodeImages } from '../facts/node-store.ts';
import { ctr, decodeAll, rooted, type SendWhole, type SentBlob } from './decode.ts';
import { importCommand } from './layout.ts';
import { namingCommands, planLines, STAGING, stagingName, type Staged } from './names.ts';
import { proveImage, proveStaged } from './prove.ts';

/** What to import on one node, after its blobs arrived. */
export interface ImportPlan {
  readonly node: string;
  readonly images: readonly ShipImage[];
  readonly sent: readonly SentBlob[];
}

export interface ImportTools {
  readonly remote: Remote;
  /** Looks at the images of the node anew. */
  readonly probe: (signal: AbortSignal) => Promise<NodeImages>;
  /** Makes staging names unique to this run. */
  readonly token: string;
  /** Brings a layer whose patch the node cannot apply. */
  readonly sendWhole: SendWhole;
  /** Throws when the node is not ours any more; asked before a final name moves. */
  readonly requireLock: () => void;
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
    title: `import ${plan.images.length === 1 ? '1 image' : `${plan.images.length} images`} on ${plan.node}`,
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
  const { remote, probe } = tools;
  try {
    await removeStaging(remote, await probe(run.signal));
    await decodeAll(plan.node, plan.sent, remote, run, tools.sendWhole);
    for (const one of staged) await stageImage(plan, one, remote, run);
    const store = await probe(run.signal);
    for (const { image, staging } of staged) proveStaged(plan.node, image, staging, store);
    await remote.run(['sync'], rooted(run.signal));
    tools.requireLock();
    run.signal.throwIfAborted();
    // From here on without the signal: names that moved half way help nobody.
    for (const argv of staged.flatMap(namingCommands)) await remote.run(argv, rooted());
  } finally {
    for (const { staging } of staged) {
      const remove = ctr('images', 'rm', staging);
      await remote.run(remove, { sudo: true, accept: [1] }).catch(() => undefined);
    }
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

async function stageImage(
  plan: ImportPlan,
  { image, staging }: Staged,
  remote: Remote,
  run: Run,
): Promise<void> {
  run.progress({ text: `import ${image.name}` });
  const blobs = plan.sent.map(({ blob }) => blob);
  await remote.run(importCommand(image, staging, blobs), rooted(run.signal));
}

/** Removes what a run that was killed in the middle of an import left; we hold the node's lock. */
async function removeStaging(remote: Remote, store: NodeImages): Promise<void> {
  const left = [...store.images.keys()].filter((name) => name.startsWith(STAGING));
  for (const name of left) {
    await remote.run(ctr('images', 'rm', name), { sudo: true, accept: [1] });
  }
}

/** Removes our files from a node; what is in the content store stays. */
export async function cleanNode(remote: Remote, signal: AbortSignal): Promise<void> {
  await remote.run(['rm', '-rf', '--one-file-system', LAYOUT, INBOX], { sudo: true, signal });
}
