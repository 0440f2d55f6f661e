import type { Digest } from '../core/digest.ts';
import type { NodeImages } from '../facts/node-store.ts';
import type { Cell, Seen } from './cell.ts';
import {
  localCell,
  nodeCell,
  referenceCells,
  runningCells,
  type RunningContainer,
} from './compare-images.ts';
import { nodeSettingCells, type NodeSetting } from './compare-nodes.ts';
import { objectCells, releaseCells, type LiveRelease } from './compare-release.ts';
import type { ShipLock } from './lock-file.ts';
import type { ManifestObject } from '../facts/manifest-object.ts';

/** Everything that was looked at; a part that was not asked for is undefined. */
export interface Observed {
  /** Image name → config digest, in Docker or in an archive. */
  readonly local?: Seen<ReadonlyMap<string, Digest>>;
  /** Every node of the config. */
  readonly nodes?: ReadonlyMap<string, Seen<NodeImages>>;
  readonly running?: Seen<readonly RunningContainer[]>;
  /** `none` before a first install. */
  readonly release?: Seen<LiveRelease | 'none'>;
  readonly objects?: Seen<readonly ManifestObject[]>;
  /** Labels and CiliumNodeConfigs. */
  readonly settings?: readonly Seen<readonly NodeSetting[]>[];
}

/** Compares what the lock says with what was seen at every place. */
export function compare(lock: ShipLock, seen: Observed): readonly Cell[] {
  const { local, nodes, running, objects } = seen;
  const images = Object.entries(lock.images).flatMap(([key, image]) => [
    ...(local === undefined ? [] : [localCell(key, image, local)]),
    ...[...(nodes ?? [])].map(([node, store]) => nodeCell(key, image, node, store)),
    ...(running === undefined ? [] : runningCells(key, image, running)),
    ...(objects === undefined ? [] : referenceCells(key, image, objects)),
  ]);
  const settings = (seen.settings ?? []).flatMap(nodeSettingCells);
  if (seen.release === undefined) return [...images, ...settings];
  const own = objects === undefined ? [] : objectCells(objects);
  return [...images, ...releaseCells(lock.release, seen.release, own), ...own, ...settings];
}
