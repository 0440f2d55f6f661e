import { shortDigest } from '../../core/digest.ts';
import { ShipError } from '../../core/errors.ts';
import { shortName, type ShipImage } from '../../core/image.ts';
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
  /** Containers that name this image; more than `running` when some run other bytes. */
  readonly containers: number;
}

/** Compares what was shipped with what the pods of the release run. */
export function runningImages(
  images: readonly ShipImage[],
  shipped: readonly ShippedNode[],
  pods: readonly Pod[],
): readonly RunningImage[] {
  return images.map(({ key, name, digestName, config }) => {
    const own = pods.flatMap((pod) =>
      pod.containers
        .filter(({ image }) => image === name || image === digestName)
        .map(({ imageId }) => ({ node: pod.node ?? '', imageId })),
    );
    const proved = shipped.filter(({ proofs }) => proofs.some((proof) => proof.key === key));
    return {
      key,
      name: own.length > 0 && isByDigest(pods, digestName) ? digestName : name,
      config: config.digest,
      runsOn: [...new Set(own.map(({ node }) => node))].toSorted(),
      onNodes: proved.length,
      nodes: shipped.length,
      running: own.filter(({ imageId }) => imageId === config.digest).length,
      containers: own.length,
    };
  });
}

function isByDigest(pods: readonly Pod[], digestName: string): boolean {
  return pods.some(({ containers }) => containers.some(({ image }) => image === digestName));
}

/** True when every container that names one of the images runs exactly it. */
export function runsWhatWasBuilt(images: readonly RunningImage[]): boolean {
  return images.every(({ running, containers }) => running === containers);
}

/** The images as a table for people. */
export function runningTable(images: readonly RunningImage[]): string {
  const rows = images.map((image) => [
    shortName(image.name),
    image.runsOn.join(', ') || '-',
    shortDigest(image.config as `sha256:${string}`),
    `${image.onNodes}/${image.nodes}`,
    `${image.running}/${image.containers}`,
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
  const behind = images.filter(({ running, containers }) => running !== containers);
  if (behind.length === 0) return;
  throw new ShipError('deploy', 'some containers run other bytes than were shipped', {
    details: behind.map(
      ({ name, running, containers, runsOn }) =>
        `${name}: ${containers - running} of ${containers} containers, on ${runsOn.join(', ')}`,
    ),
    hint: 'delete their pods, so that they start from the new image; a new tag for each build avoids this',
  });
}
