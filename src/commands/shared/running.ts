import { shortDigest } from '../../core/digest.ts';
import { ShipError } from '../../core/errors.ts';
import { runsOf, shortName, type ShipImage } from '../../core/image.ts';
import type { Pod } from '../../deploy/cluster.ts';
import { textTable } from '../../output/table.ts';
import type { ShippedNode } from './shipped-node.ts';

/** One image: on how many nodes it is proved, and how many containers run exactly it. */
export interface RunningImage {
  readonly key: string;
  readonly name: string;
  readonly config: string;
  readonly runsOn: readonly string[];
  readonly onNodes: number;
  readonly nodes: number;
  readonly running: number;
  /** Containers whose runtime names a manifest that is not ours, and may hold the same. */
  readonly unclear: number;
  /** Containers that name this image; more than those two when some run other bytes. */
  readonly containers: number;
}

/** Compares what was shipped with what the pods of the release run. */
export function runningImages(
  images: readonly ShipImage[],
  shipped: readonly ShippedNode[],
  pods: readonly Pod[],
): readonly RunningImage[] {
  return images.map(({ key, name, digestName, config, manifest }) => {
    const digests = { config: config.digest, manifest: manifest.digest };
    const own = pods.flatMap((pod) =>
      pod.containers
        .filter(({ image }) => image === name || image === digestName)
        .map((container) => ({ node: pod.node ?? '', runs: runsOf(container, digests) })),
    );
    const count = (wanted: string): number => own.filter(({ runs }) => runs === wanted).length;
    const proved = shipped.filter(({ proofs }) => proofs.some((proof) => proof.key === key));
    return {
      key,
      name: own.length > 0 && isByDigest(pods, digestName) ? digestName : name,
      config: config.digest,
      runsOn: [...new Set(own.map(({ node }) => node))].toSorted(),
      onNodes: proved.length,
      nodes: shipped.length,
      running: count('same'),
      unclear: count('unclear'),
      containers: own.length,
    };
  });
}

function isByDigest(pods: readonly Pod[], digestName: string): boolean {
  return pods.some(({ containers }) => containers.some(({ image }) => image === digestName));
}

/** True when no container that names one of the images is known to run anything else. */
export function runsWhatWasBuilt(images: readonly RunningImage[]): boolean {
  return images.every((image) => othersOf(image) === 0);
}

function othersOf({ running, unclear, containers }: RunningImage): number {
  return containers - running - unclear;
}

function runningText({ running, unclear, containers }: RunningImage): string {
  return `${running}/${containers}${unclear === 0 ? '' : ` (${unclear} by another manifest)`}`;
}

/** The images as a table for people. */
export function runningTable(images: readonly RunningImage[]): string {
  const rows = images.map((image) => [
    shortName(image.name),
    image.runsOn.join(', ') || '-',
    shortDigest(image.config as `sha256:${string}`),
    `${image.onNodes}/${image.nodes}`,
    runningText(image),
  ]);
  return textTable(['image', 'runs on', 'built', 'on nodes', 'running'], rows);
}

/**
 * A name that moved to new bytes restarts nothing by itself: an extra image of the same tag is the
 * usual case (K3).
 *
 * @throws ShipError `deploy` naming the images
 */
export function requireRunning(images: readonly RunningImage[]): void {
  const behind = images.filter((image) => othersOf(image) > 0);
  if (behind.length === 0) return;
  throw new ShipError('deploy', 'some containers run other bytes than were shipped', {
    details: behind.map(
      (image) =>
        `${image.name}: ${othersOf(image)} of ${image.containers} containers, on ${image.runsOn.join(', ')}`,
    ),
    hint: 'delete their pods, so that they start from the new image; a new tag for each build avoids this',
  });
}
