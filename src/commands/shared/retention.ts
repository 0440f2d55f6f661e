import type { Digest } from '../../core/digest.ts';
import type { ShipError } from '../../core/errors.ts';
import { toShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import { counted } from '../../core/text.ts';
import { neededReferences } from '../../deploy/needed.ts';
import { parseContainers, type CriContainer } from '../../facts/cri.ts';
import { parseLayers, type StoredLayer } from '../../facts/containerd.ts';
import { qualified, type NodeImages } from '../../facts/node-store.ts';
import { retention, type KeptImage, type NeededNames } from '../../import/retain.ts';
import { settleStage } from '../../output/stage.ts';
import type { Session } from '../../system/ssh/session.ts';
import { CONTAINERS, probeImages } from '../../transfer/probe.ts';
import type { Context } from '../command.ts';
import { helmOn, openClusterAccess, releaseOf, type ClusterAccess } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { shippedNames } from './shipped-names.ts';
import { looking } from './stages.ts';

/** The shipped images of one node, and what it has besides. */
export interface FoundImages {
  readonly store: NodeImages;
  readonly images: readonly KeptImage[];
  /** Config digest of an image → its layers. */
  readonly layers: ReadonlyMap<string, readonly StoredLayer[]>;
}

/** The same of every node, and why some could not be asked. */
export interface FoundFleet {
  readonly nodes: ReadonlyMap<string, FoundImages>;
  readonly failures: ReadonlyMap<string, ShipError>;
}

/**
 * Looks at every node of a fleet for shipped images and what needs them.
 *
 * @param access the cluster, when it is open already
 * @throws ShipError `interrupted`
 */
export async function readImages(
  context: Context,
  fleet: Fleet,
  access?: ClusterAccess,
): Promise<FoundFleet> {
  const uses = readUses(context, fleet, access);
  uses.catch(() => undefined);
  const steps = [...fleet.sessions].map(([node, session]): Step<FoundImages> => ({
    id: node,
    title: `look what ${node} has`,
    run: ({ signal }) => readNodeImages(session, uses, signal),
    describe: ({ images }) => `${node} ${counted(images.length, 'image')}`,
  }));
  const settled = await settleStage('Look', steps, looking(context));
  // No tunnel is left open where every node failed first.
  await uses.catch(() => undefined);
  return {
    nodes: settled.results,
    failures: new Map([...fleet.failures, ...settled.failures]),
  };
}

/**
 * Containers of every node: what runs on one may be started on any other, by whomever it was
 * deployed. Undefined when one of them does not say: then any image may be in use.
 */
async function readContainers(
  { output, signal }: Context,
  { sessions }: Fleet,
): Promise<readonly CriContainer[] | undefined> {
  const asked = [...sessions.values()].map(async (session) => {
    try {
      return parseContainers((await session.run(CONTAINERS, { sudo: true, signal })).stdout);
    } catch (error) {
      signal.throwIfAborted();
      const { message } = toShipError(error);
      output.note(`what runs on ${session.node} is unknown, so no image is removed: ${message}`);
      return undefined;
    }
  });
  const found = await Promise.all(asked);
  return found.includes(undefined) ? undefined : found.flatMap((containers) => containers ?? []);
}

/** What is known of the uses of images. */
interface Uses {
  readonly containers: readonly CriContainer[];
  readonly needed: NeededNames | undefined;
  readonly shipped: readonly string[];
}

async function readUses(
  context: Context,
  fleet: Fleet,
  access: ClusterAccess | undefined,
): Promise<Uses> {
  const [needed, containers] = await Promise.all([
    neededNames(context, fleet, access),
    readContainers(context, fleet),
  ]);
  const shipped = (await shippedNames(context)).map(qualified);
  return containers === undefined
    ? { containers: [], needed: undefined, shipped }
    : { containers, needed, shipped };
}

async function readNodeImages(
  session: Session,
  uses: Promise<Uses>,
  signal: AbortSignal,
): Promise<FoundImages> {
  const store = await probeImages(session, signal);
  const { containers, needed, shipped } = await uses;
  const images = retention(store, containers, needed, shipped);
  const layers = images.map(async ({ digestName, id }) => {
    const manifest = store.images.get(digestName)?.digest;
    return [id, manifest === undefined ? [] : await readLayers(session, manifest, signal)] as const;
  });
  return { store, images, layers: new Map(await Promise.all(layers)) };
}

async function readLayers(
  session: Session,
  manifest: Digest,
  signal: AbortSignal,
): Promise<readonly StoredLayer[]> {
  const argv = ['k3s', 'ctr', '-n', 'k8s.io', 'content', 'get', manifest] as const;
  return parseLayers((await session.run(argv, { sudo: true, signal, accept: [1] })).stdout);
}

/** Undefined when the cluster does not say: then everything may be needed. */
async function neededNames(
  context: Context,
  fleet: Fleet,
  open: ClusterAccess | undefined,
): Promise<NeededNames | undefined> {
  try {
    if (open !== undefined) return await askCluster(context, open);
    await using access = await openClusterAccess(context, fleet);
    return await askCluster(context, access);
  } catch (error) {
    context.signal.throwIfAborted();
    context.output.note(`what the release needs is unknown: ${toShipError(error).message}`);
    return undefined;
  }
}

async function askCluster(context: Context, access: ClusterAccess): Promise<NeededNames> {
  const helm = await helmOn(context, access);
  const release = releaseOf(context);
  const [found, pods] = await Promise.all([
    neededReferences(helm, release),
    access.cluster.pods(release.namespace, ''),
  ]);
  // A pod that is about to start has no container yet.
  const named = pods.flatMap(({ containers, initContainers }) =>
    [...containers, ...initContainers].map(({ image }) => image),
  );
  return {
    release: new Set([...found.release, ...named].map(qualified)),
    wayBack: new Set(found.wayBack.map(qualified)),
  };
}

/** Bytes that go with some images: layers that no other shipped image of the node has. */
export function freedBytes({ images, layers }: FoundImages, gone: readonly KeptImage[]): number {
  const ids = new Set(gone.map(({ id }) => id));
  const stay = images.filter(({ id }) => !ids.has(id)).flatMap(({ id }) => layers.get(id) ?? []);
  const needed = new Set(stay.map(({ digest }) => digest));
  const going = [...ids].flatMap((id) => layers.get(id) ?? []);
  const sizes = new Map(going.map(({ digest, size }) => [digest, size]));
  return [...sizes].reduce((sum, [digest, size]) => (needed.has(digest) ? sum : sum + size), 0);
}
