import { rm } from 'node:fs/promises';
import { ShipError, toShipError } from '../../core/errors.ts';
import type { Digest } from '../../core/digest.ts';
import type { Seen } from '../../drift/cell.ts';
import type { Observed } from '../../drift/compare.ts';
import type { ShipLock } from '../../drift/lock-file.ts';
import { qualified, type NodeImages } from '../../facts/node-store.ts';
import { readArchiveNames } from '../../image/archive-read.ts';
import { openStore } from '../../image/store.ts';
import type { Context } from '../command.ts';
import { openClusterAccess } from './cluster.ts';
import { openDocker } from './docker.ts';
import type { Fleet } from './fleet.ts';
import { lookAtCluster, type ClusterParts } from './observe-cluster.ts';
import { probeImagesOf } from './probe-fleet.ts';
import { shippedNames } from './shipped-names.ts';
import { storeFolder } from './store.ts';

export interface ArchiveFlag {
  /** An archive that is compared instead of Docker's images. */
  readonly archive?: string;
}

/** Places that drift compares. */
export type Part = 'local' | 'nodes' | 'running' | 'release';

/** What was seen at every place, and why the others could not be looked at. */
export interface Observation {
  readonly seen: Observed;
  readonly failures: readonly ShipError[];
}

/** Runs looks, and keeps why one gave nothing. */
export interface Looking {
  look<T>(what: Promise<T>): Promise<Seen<T>>;
  readonly failures: ShipError[];
}

/**
 * Looks at every place at once; a place that does not answer leaves the others alone. Nothing is
 * written anywhere.
 *
 * @param parts that are looked at
 * @throws ShipError `interrupted`
 */
export async function observe(
  context: Context<ArchiveFlag>,
  fleet: Fleet,
  lock: ShipLock,
  parts: ReadonlySet<Part>,
): Promise<Observation> {
  const looking = lookingFor(context);
  const wanted: ClusterParts = { running: parts.has('running'), release: parts.has('release') };
  const { archive } = context.flags;
  const here = () =>
    archive === undefined ? localImages(context) : archiveImages(context, archive);
  const [local, nodes, cluster] = await Promise.all([
    parts.has('local') ? looking.look(here()) : undefined,
    parts.has('nodes') ? lookAtNodes(context, fleet, looking) : undefined,
    wanted.running || wanted.release ? lookThere(context, fleet, { lock, wanted, looking }) : {},
  ]);
  const seen = {
    ...(local === undefined ? {} : { local }),
    ...(nodes === undefined ? {} : { nodes }),
    ...cluster,
  };
  return { seen, failures: looking.failures };
}

function lookingFor({ signal }: Context): Looking {
  const failures: ShipError[] = [];
  return {
    failures,
    async look(what) {
      try {
        return { seen: await what };
      } catch (error) {
        signal.throwIfAborted();
        const failure = toShipError(error);
        failures.push(failure);
        return { why: failure.message };
      }
    },
  };
}

/**
 * Config digests of the images that Docker has; those that it lacks are left out.
 *
 * @throws ShipError `build` for a Docker with the containerd store whose image never was in the blob
 * store of this machine: its own id is another digest, which says nothing about the config
 */
async function localImages(context: Context): Promise<ReadonlyMap<string, Digest>> {
  const docker = await openDocker(context);
  const store = await openStore(storeFolder());
  const found = (await shippedNames(context)).map(async (name) => {
    const seen = await docker.inspect(name, context.signal);
    if (seen === undefined) return [];
    // Docker's own id is the config digest on the classic store only.
    const known = await store.recall(seen.id);
    if (known !== undefined) return [[name, known.config.digest] as const];
    const { store: kind } = await docker.info(context.signal);
    if (kind !== 'classic') throw unknownHere(name);
    return [[name, seen.id] as const];
  });
  return new Map((await Promise.all(found)).flat());
}

function unknownHere(name: string): ShipError {
  return new ShipError('build', `Docker does not say which image ${name} is by its config`, {
    hint: 'ciliumship push --no-build brings it to the blob store, which knows',
  });
}

/** The same of an archive; it is unpacked beside the blob store, and nothing of it stays. */
async function archiveImages(context: Context, file: string): Promise<ReadonlyMap<string, Digest>> {
  const store = await openStore(storeFolder());
  const scratch = await store.scratch();
  try {
    const named = await readArchiveNames(file, scratch, context.signal);
    const names = await shippedNames(context);
    const found = names.map((name) => [name, named.get(qualified(name))] as const);
    return new Map(found.flatMap(([name, digest]) => (digest ? [[name, digest] as const] : [])));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function lookAtNodes(context: Context, fleet: Fleet, { failures }: Looking) {
  const probed = await probeImagesOf(context, fleet);
  failures.push(...probed.failures.values());
  const nodes = context.config.nodes.flatMap(
    ({ name }): readonly (readonly [string, Seen<NodeImages>])[] => {
      const seen = probed.stores.get(name);
      if (seen !== undefined) return [[name, { seen }]];
      const why = probed.failures.get(name)?.message;
      return why === undefined ? [] : [[name, { why }]];
    },
  );
  return new Map(nodes);
}

/** A cluster that cannot be reached is one failure, and everything of it is unknown. */
async function lookThere(
  context: Context,
  fleet: Fleet,
  of: { readonly lock: ShipLock; readonly wanted: ClusterParts; readonly looking: Looking },
): Promise<Observed> {
  const { lock, wanted, looking } = of;
  const found = await looking.look(
    (async () => {
      await using access = await openClusterAccess(context, fleet);
      return await lookAtCluster(context, access, { lock, wanted, looking });
    })(),
  );
  if ('seen' in found) return found.seen;
  return {
    ...(wanted.running ? { running: found } : {}),
    ...(wanted.release ? { release: found, objects: found, settings: [found] } : {}),
  };
}
