import { IMAGE } from '../../config/schema.ts';
import { ShipError } from '../../core/errors.ts';
import type { BuiltImage, ShipImage } from '../../core/image.ts';
import { qualified, type NodeStore } from '../../facts/node-store.ts';
import type { DockerDaemon } from '../../system/docker.ts';
import type { Context } from '../command.ts';
import { openDocker } from './docker.ts';
import type { Fleet } from './fleet.ts';
import { exportImages } from './images.ts';
import { lockFleet } from './lock.ts';
import { probeFleet } from './probe-fleet.ts';
import { requireAll } from './report.ts';
import { shipImages } from './ship-images.ts';
import { openBlobStore } from './store.ts';

/**
 * Brings images of somebody else's manifest or chart to every node, as Docker has them. One that
 * Docker lacks and every node has already is left as it is.
 *
 * @param names as they are written there; a digest behind the tag is left out
 * @returns name → the image that was shipped under it
 * @throws ShipError `config` for what is no name; `build` naming every image that is nowhere to be had; what shipping throws
 */
export async function bringImages(
  context: Context,
  fleet: Fleet,
  names: readonly string[],
): Promise<ReadonlyMap<string, ShipImage>> {
  requireNames(names);
  const wanted = new Map(names.map((name) => [name, name.split('@')[0] ?? name]));
  const found = await inDocker(context, [...new Set(wanted.values())]);
  const lacking = [...new Set(wanted.values())].filter(
    (name) => !found.some((image) => image.name === name),
  );
  await requireOnNodes(context, fleet, lacking);
  if (found.length === 0) return new Map();
  const shipped = await ship(context, fleet, found);
  const byName = new Map(shipped.map((image) => [image.name, image]));
  return new Map(
    [...wanted].flatMap(([name, plain]) => {
      const image = byName.get(plain);
      return image === undefined ? [] : [[name, image] as const];
    }),
  );
}

/** @throws ShipError `config` for what no registry or Docker would take as a name */
function requireNames(names: readonly string[]): void {
  const wrong = names.find((name) => !IMAGE.test(name.split('@')[0] ?? ''));
  if (wrong === undefined) return;
  throw new ShipError('config', `not a name of an image: ${JSON.stringify(wrong)}`, {
    hint: 'look into the manifest or chart that cni names in the config',
  });
}

/** Without Docker nothing can be brought; what the nodes have may be enough. */
async function inDocker(
  context: Context,
  names: readonly string[],
): Promise<readonly BuiltImage[]> {
  const docker = await openDocker(context).catch(() => undefined);
  context.signal.throwIfAborted();
  if (docker === undefined) return [];
  const found = await Promise.all(names.map((name) => inspect(docker, name, context.signal)));
  return found.flatMap((image) => image ?? []);
}

async function inspect(docker: DockerDaemon, name: string, signal: AbortSignal) {
  const seen = await docker.inspect(name, signal);
  return seen && { key: name, name, ...seen };
}

async function requireOnNodes(
  context: Context,
  fleet: Fleet,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const { stores } = await probeFleet(context, fleet, 'Look');
  const missing = names.filter((name) => ![...stores.values()].every((store) => has(store, name)));
  const [first] = missing;
  if (first === undefined) return;
  throw new ShipError('build', `neither Docker nor every node has ${missing.join(', ')}`, {
    hint: `get it: docker pull ${first}   (then run the same command again; nothing was changed)`,
  });
}

function has({ checked }: NodeStore, name: string): boolean {
  const found = checked.get(qualified(name));
  return found?.complete === true && found.unpacked;
}

async function ship(
  context: Context,
  fleet: Fleet,
  found: readonly BuiltImage[],
): Promise<readonly ShipImage[]> {
  await using store = await openBlobStore(context);
  const images = await exportImages(context, await openDocker(context), found, store);
  await using locked = await lockFleet(context, fleet);
  requireAll('cni install', await shipImages(context, locked, images, store));
  return images;
}
