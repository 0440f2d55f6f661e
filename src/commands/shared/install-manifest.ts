import { readFile } from 'node:fs/promises';
import { fitFlannel } from '../../cluster/cni/flannel.ts';
import { agentsOf } from '../../cluster/cni/known.ts';
import { requirePodNetwork } from '../../cluster/cni/leftovers.ts';
import { parseManifest, withShippedImages, type KubeObject } from '../../cluster/cni/manifest.ts';
import { pluginsStep } from '../../cluster/cni/plugins.ts';
import { agentsReadyStep, applyStep } from '../../cluster/cni/steps.ts';
import { workloadsOf } from '../../deploy/manifest.ts';
import { runStage } from '../../output/stage.ts';
import { stringify } from 'yaml';
import type { Context } from '../command.ts';
import { bringImages } from './bring-images.ts';
import type { ClusterAccess } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { pinnedFile } from './pinned-file.ts';
import { timeoutOf } from './timeout.ts';
import { acting } from './stages.ts';

/** CNIs that come as a manifest. */
export type ManifestCni = 'flannel' | 'antrea';

/**
 * The objects of a CNI's manifest, as they fit this cluster.
 *
 * @throws ShipError `config`, `network`, `integrity`
 */
export async function manifestObjects(
  context: Context,
  name: ManifestCni,
): Promise<readonly KubeObject[]> {
  const { config } = context;
  const file = await pinnedFile(context, `cni.${name}`, config.cni[name]);
  const objects = parseManifest(await readFile(file, 'utf8'), file);
  return name === 'flannel' ? fitFlannel(objects, config.k3s.clusterCidr, config.nodes) : objects;
}

/**
 * Brings the images of a manifest to every node, applies it and waits for its agents.
 *
 * @returns how many objects were changed
 * @throws ShipError `config` before anything is changed; `build`, `deploy`, `network`
 */
export async function installManifest(
  context: Context,
  fleet: Fleet,
  { cluster }: ClusterAccess,
  name: ManifestCni,
): Promise<number> {
  const objects = await manifestObjects(context, name);
  requirePodNetwork(context.config.k3s.clusterCidr, await cluster.nodes());
  const images = await bringImages(context, fleet, imagesIn(objects));
  if (name === 'flannel') await bringPlugins(context, fleet);
  const names = new Map([...images].map(([image, { digestName }]) => [image, digestName]));
  const steps = withShippedImages(objects, names).map((object) => applyStep(object, cluster));
  const applied = await runStage('Apply', steps, {
    ...acting(context),
    concurrency: 1,
  });
  const ready = agentsReadyStep(agentsOf(name), cluster, timeoutOf(context));
  await runStage('Agents', [ready], acting(context));
  return [...applied.values()].filter((state) => state === 'applied').length;
}

function imagesIn(objects: readonly KubeObject[]): readonly string[] {
  const text = objects.map((object) => stringify(object)).join('---\n');
  return workloadsOf(text).flatMap(({ images }) => images.map(({ image }) => image));
}

async function bringPlugins(context: Context, fleet: Fleet): Promise<void> {
  const { plugins } = context.config.cni;
  const archive =
    plugins && (async () => readFile(await pinnedFile(context, 'cni.plugins', plugins)));
  const steps = [...fleet.sessions].map(([node, session]) => pluginsStep(node, session, archive));
  await runStage('Plugins', steps, acting(context));
}
