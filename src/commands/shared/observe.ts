import { toShipError, type ShipError } from '../../core/errors.ts';
import { kubernetesName } from '../../core/node.ts';
import type { Seen } from '../../drift/cell.ts';
import type { Observed } from '../../drift/compare.ts';
import type { ShipLock } from '../../drift/lock-file.ts';
import { knownBy, type NodeImages } from '../../facts/node-store.ts';
import type { Context } from '../command.ts';
import { openClusterAccess } from './cluster.ts';
import { openDocker } from './docker.ts';
import type { Fleet } from './fleet.ts';
import { archiveImages, dockerImages, type ArchiveFlag, type LocalImages } from './local-images.ts';
import { lookAtCluster, type ClusterParts } from './observe-cluster.ts';
import { probeImagesOf } from './probe-fleet.ts';
import { shippedNames } from './shipped-names.ts';

/** Places that drift compares. */
export type Part = 'local' | 'nodes' | 'running' | 'release';

/** What was seen at every place, and why the others could not be looked at. */
export interface Observation {
  readonly seen: Observed;
  readonly failures: readonly ShipError[];
}

type Looks = readonly [
  Observed['local'],
  Observed['nodes'],
  Pick<Observed, 'running' | 'release' | 'objects' | 'settings'>,
];

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
  const [local, nodes, cluster]: Looks = await Promise.all([
    parts.has('local') ? looking.look(lookHere(context)) : undefined,
    parts.has('nodes') ? lookAtNodes(context, fleet, looking) : undefined,
    wanted.running || wanted.release ? lookThere(context, fleet, { lock, wanted, looking }) : {},
  ]);
  const seen = {
    ...(local === undefined ? {} : { local }),
    ...(nodes === undefined ? {} : { nodes }),
    ...cluster,
    ...(cluster.running === undefined
      ? {}
      : { running: resolved(context, cluster.running, nodes) }),
  };
  return { seen, failures: looking.failures };
}

/** A node knows which image a manifest is of that its runtime names. */
function resolved(
  { config }: Context,
  running: NonNullable<Observed['running']>,
  nodes: Observed['nodes'],
): NonNullable<Observed['running']> {
  if ('why' in running) return running;
  const storeOf = (name: string): NodeImages | undefined => {
    const node = config.nodes.find((known) => kubernetesName(known) === name);
    const store = nodes?.get(node?.name ?? '');
    return store !== undefined && 'seen' in store ? store.seen : undefined;
  };
  return { seen: running.seen.map((one) => knownBy(storeOf(one.node), one)) };
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

/** Docker's images, or those of the archive that stands for it. */
async function lookHere(context: Context<ArchiveFlag>): Promise<LocalImages> {
  const { flags, signal } = context;
  const names = await shippedNames(context);
  if (flags.archive !== undefined) return archiveImages(flags.archive, names, signal);
  return dockerImages(await openDocker(context), names, signal);
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
