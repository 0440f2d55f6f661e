import type { Digest } from '../../core/digest.ts';
import type { ShipError } from '../../core/errors.ts';
import { toShipError } from '../../core/errors.ts';
import type { Step } from '../../core/step.ts';
import { neededReferences } from '../../deploy/needed.ts';
import { parseContainers, type CriContainer } from '../../facts/cri.ts';
import { parseLayers, type StoredLayer } from '../../facts/containerd.ts';
import { qualified, type NodeImages } from '../../facts/node-store.ts';
import { retention, type KeptImage, type NeededNames } from '../../import/retain.ts';
import { settleStage } from '../../output/stage.ts';
import { openHelm } from '../../system/helm.ts';
import type { Session } from '../../system/ssh/session.ts';
import { CONTAINERS, probeImages } from '../../transfer/probe.ts';
import type { Context } from '../command.ts';
import { openClusterAccess } from './cluster.ts';
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

/**
 * Looks at every node of a fleet for shipped images and what needs them.
 *
 * @throws ShipError `interrupted`
 */
export async function readImages(
  context: Context,
  fleet: Fleet,
): Promise<{
  readonly nodes: ReadonlyMap<string, FoundImages>;
  readonly failures: ReadonlyMap<string, ShipError>;
}> {
  const needed = await neededNames(context, fleet);
  const containers = await readContainers(context, fleet);
  const shipped = shippedNames(context.config).map(qualified);
  const steps = [...fleet.sessions].map(([node, session]): Step<FoundImages> => ({
    id: node,
    title: `look what ${node} has`,
    run: ({ signal }) => readNodeImages(session, { containers, needed, shipped }, signal),
    describe: ({ images }) => `${node} ${images.length} images`,
  }));
  const settled = await settleStage('Look', steps, looking(context));
  return {
    nodes: settled.results,
    failures: new Map([...fleet.failures, ...settled.failures]),
  };
}

/**
 * Containers of every node: what runs on one may be started on any other, by whomever it was
 * deployed. Those of a node that does not answer are unknown, and nothing is removed from it.
 */
async function readContainers(
  { signal }: Context,
  { sessions }: Fleet,
): Promise<readonly CriContainer[]> {
  const asked = [...sessions.values()].map(async (session) => {
    const found = await session.run(CONTAINERS, { sudo: true, signal }).catch(() => undefined);
    signal.throwIfAborted();
    return found === undefined ? [] : parseContainers(found.stdout);
  });
  return (await Promise.all(asked)).flat();
}

/** What is known of the uses of images. */
interface Uses {
  readonly containers: readonly CriContainer[];
  readonly needed: NeededNames | undefined;
  readonly shipped: readonly string[];
}

async function readNodeImages(
  session: Session,
  { containers, needed, shipped }: Uses,
  signal: AbortSignal,
): Promise<FoundImages> {
  const store = await probeImages(session, signal);
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
async function neededNames(context: Context, fleet: Fleet): Promise<NeededNames | undefined> {
  const { config, flags, signal, output } = context;
  try {
    await using access = await openClusterAccess(context, fleet);
    const helm = await openHelm({ kubeconfig: access.kubeconfig, context: flags.context }, signal);
    const namespace = flags.namespace ?? config.deploy.namespace;
    const { release: name, chart } = config.deploy;
    const found = await neededReferences(helm, { name, namespace, chart, values: [] });
    // A pod that is about to start has no container yet.
    const pods = await access.cluster.pods(namespace, '');
    const named = pods.flatMap(({ containers, initContainers }) =>
      [...containers, ...initContainers].map(({ image }) => image),
    );
    return {
      release: new Set([...found.release, ...named].map(qualified)),
      wayBack: new Set(found.wayBack.map(qualified)),
    };
  } catch (error) {
    signal.throwIfAborted();
    output.note(`what the release needs is unknown: ${toShipError(error).message}`);
    return undefined;
  }
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
