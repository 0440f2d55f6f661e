import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Config, ImageSpec } from '../../config/normalise.ts';
import { ShipError } from '../../core/errors.ts';
import type { ShipImage } from '../../core/image.ts';
import { AGENT_CONTAINER, OPERATOR_CONTAINER } from '../../deploy/agents.ts';
import { workloadsOf, type RenderedImage } from '../../deploy/manifest.ts';
import { stockValues } from '../../deploy/stock-values.ts';
import { parseUserValues } from '../../deploy/user-values.ts';
import { merge } from '../../deploy/values.ts';
import type { NodeFacts } from '../../facts/node-facts.ts';
import { runProcess } from '../../system/process.ts';
import type { Context } from '../command.ts';
import { bringImages } from './bring-images.ts';
import { helmOn, releaseOf, type ClusterAccess } from './cluster.ts';
import { deployImages, type Deployed } from './deploy-images.ts';
import type { Fleet } from './fleet.ts';
import { pinnedFile } from './pinned-file.ts';

/** Containers whose images have a place of their own in the values. */
const PLACES: Readonly<Record<string, string>> = {
  [AGENT_CONTAINER]: 'image',
  [OPERATOR_CONTAINER]: 'operator.image',
};

/**
 * Installs a published chart the way a build of one's own is deployed: images shipped and proved,
 * one node at a time, with values that follow from config and machines.
 *
 * @throws ShipError as `deployImages`, and `build` when an image of the chart is not to be had
 */
export async function installCilium(
  context: Context,
  fleet: Fleet,
  access: ClusterAccess,
  facts: readonly NodeFacts[],
): Promise<Deployed> {
  const { config } = context;
  const chart = await chartFolder(context, access.folder);
  const values = join(access.folder, 'stock-values.yaml');
  await writeFile(values, stringify(await valuesOf(config, facts)), { mode: 0o600 });
  const helm = await helmOn(context, access);
  const rendered = await helm.render({ ...releaseOf(context), chart, values: [values] });
  const wanted = workloadsOf(rendered).flatMap(({ images }) => images);
  const shipped = await bringImages(
    context,
    fleet,
    wanted.map(({ image }) => image),
  );
  const placed = placedImages(wanted, shipped);
  // The tree has nothing to do with what a published chart installs.
  const deploy = { ...config.deploy, chart, values };
  const stock = { ...config, source: chart, images: placed.specs, deploy };
  return deployImages({ ...context, config: stock }, { fleet, access }, placed.images);
}

async function valuesOf({ nodes, k3s, cni }: Config, facts: readonly NodeFacts[]) {
  const base = stockValues(nodes, k3s.clusterCidr, facts);
  const file = cni.cilium?.values;
  if (file === undefined) return base;
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ShipError('config', `cni.cilium.values: cannot read ${file}`, {
      cause,
      hint: 'mend cni.cilium.values in the config; paths count from its folder',
    });
  });
  return merge(base, parseUserValues(text, file));
}

/** An archive holds the folder of the chart, whatever its name. */
async function chartFolder(context: Context, folder: string): Promise<string> {
  const { cilium } = context.config.cni;
  if (cilium !== undefined && (await isFolder(cilium.from))) return cilium.from;
  const archive = await pinnedFile(context, 'cni.cilium', cilium);
  const unpacked = join(folder, 'chart');
  await mkdir(unpacked);
  const argv = ['tar', '-xzf', archive, '--no-same-owner', '-C', unpacked] as const;
  const { code } = await runProcess(argv, { signal: context.signal, accept: [1, 2] });
  const [name] = code === 0 ? await readdir(unpacked) : [];
  if (name !== undefined) return join(unpacked, name);
  throw new ShipError('config', `cni.cilium.chart: ${archive} is no archive of a chart`, {
    hint: 'name the .tgz of a release: https://helm.cilium.io/cilium-VERSION.tgz',
  });
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/** Agent and operator are named by digest in the values; the others keep the names of the chart. */
function placedImages(wanted: readonly RenderedImage[], shipped: ReadonlyMap<string, ShipImage>) {
  const specs = new Map<string, ImageSpec>();
  for (const { container, image } of wanted) {
    const found = shipped.get(image);
    const value = PLACES[container];
    if (found === undefined || value === undefined) continue;
    const repository = found.name.replace(/:[^/:]*$/, '');
    specs.set(found.key, { key: found.key, repository, dockerfile: '', buildArgs: {}, value });
  }
  const images = [...new Map([...shipped.values()].map((image) => [image.key, image])).values()];
  return { specs: [...specs.values()], images };
}
