import { buildRequests } from '../../build/requests.ts';
import { buildSteps } from '../../build/steps.ts';
import { withInputs, type BuiltTree } from '../../build/inputs.ts';
import { describeTree, readTree, type SourceTree } from '../../build/tree.ts';
import type { Step } from '../../core/step.ts';
import { ShipError } from '../../core/errors.ts';
import { counted } from '../../core/text.ts';
import { VERSION } from '../../core/version.ts';
import type { BuiltImage, ShipImage } from '../../core/image.ts';
import { exportStep } from '../../image/export.ts';
import { layoutExporter } from '../../image/export-layout.ts';
import { saveExporter } from '../../image/export-save.ts';
import type { ImageExporter } from '../../image/exporter.ts';
import type { BlobStore } from '../../image/store.ts';
import { unmoved } from '../../image/unmoved.ts';
import type { Output } from '../../output/output.ts';
import { runStage } from '../../output/stage.ts';
import { readLogins, type DockerLogins } from '../../system/docker-login.ts';
import { pullImage } from '../../system/docker-pull.ts';
import type { DockerDaemon } from '../../system/docker.ts';
import { gitReader } from '../../system/git.ts';
import { selfDescription } from '../../system/self.ts';
import type { Context } from '../command.ts';
import { extraImagesOf } from './extra-images.ts';
import type { EarlyPacking } from './pack-early.ts';
import { imagesData } from './report.ts';
import { acting, looking } from './stages.ts';
import { openDocker } from './docker.ts';

const COMPARED = 'compared below are the images that Docker has now; a build may change them';

/** Images that were built, and what they were built from. */
export interface BuildResult {
  readonly tree: BuiltTree;
  readonly images: readonly BuiltImage[];
}

/**
 * Reads the source tree, and says what is built for whom.
 *
 * @throws ShipError `config`
 */
export async function readSource({ config, output }: Context): Promise<SourceTree> {
  const tree = await readTree(config.source, gitReader);
  const nodes = counted(config.nodes.length, 'node');
  output.note(`ciliumship ${VERSION} · ${config.file} · ${nodes}`);
  output.note(`tree ${config.source} · Cilium ${describeTree(tree)}`);
  return tree;
}

/**
 * Builds the images of the config from its source tree. In a dry run nothing is built, and the
 * images are those that Docker has now.
 *
 * @param source the tree, as `readSource` gives it
 * @throws ShipError `config`, `build`
 */
export async function buildImages(
  context: Context,
  docker: DockerDaemon,
  source: SourceTree,
): Promise<BuildResult> {
  const { config, output, signal } = context;
  const requests = buildRequests(source, config, config.images);
  const tree = await withInputs(source, requests);
  const { path, commit, version, changed } = tree;
  output.record({ source: { path, commit, version, changed } });
  const logins = hiddenLogins(readLogins(), output);
  const { engine: kind, idleTimeout } = config.build;
  // Loaded late: what a build needs takes a tenth of a second.
  const { chooseEngine } = await import('../../system/docker-engine.ts');
  const engine = await chooseEngine(docker, kind, idleTimeout, logins);
  const built = await runStage('Build', buildSteps(requests, engine, docker), acting(context));
  if (context.flags.dryRun === true) {
    const images = await findBuilt(context, docker).catch(unbuilt(output));
    if (images.length > 0) output.note(COMPARED);
    return { tree, images };
  }
  signal.throwIfAborted();
  return { tree, images: requests.flatMap(({ key }) => built.get(`build/${key}`) ?? []) };
}

/** Whether a dry run has nothing to compare, because nothing was built yet. */
export function isUnbuilt({ config }: Context, { images }: Pick<BuildResult, 'images'>): boolean {
  return images.length < config.images.length;
}

/** The last line of a dry run. */
export const DRY_RUN = 'nothing was changed: this was a dry run';

/** Ends a dry run before the first build: with nothing to compare no node is asked. */
export function endUnbuilt({ output }: Pick<Context, 'output'>): void {
  output.result(DRY_RUN, { images: [], nodes: [] });
}

/** A dry run before the first build has nothing to look at, and that is no failure. */
function unbuilt(output: Output): (error: unknown) => readonly BuiltImage[] {
  return (error) => {
    if (!(error instanceof ShipError) || error.kind !== 'build') throw error;
    output.note(`${error.message}: what nodes lack can be said once it is built`);
    return [];
  };
}

/** Logins whose secrets are hidden from the moment they are read. */
function hiddenLogins(logins: DockerLogins, output: Output): DockerLogins {
  return {
    helper: logins.helper,
    login: async (registry) => {
      const login = await logins.login(registry);
      if (login !== undefined) output.hide(login.secret);
      return login;
    },
  };
}

/**
 * The images of the config as Docker has them, without building.
 *
 * @throws ShipError `build` naming every image that Docker lacks
 */
export async function findBuilt(
  { config, signal }: Context,
  docker: DockerDaemon,
): Promise<readonly BuiltImage[]> {
  const wanted = config.images.map(({ key, repository }) => ({
    key,
    name: `${repository}:${config.tag}`,
  }));
  return findImages(wanted, docker, signal, () => 'ciliumship build');
}

/**
 * The extra images of the config as Docker has them; with `auto` what it lacks is pulled.
 *
 * @throws ShipError as `findBuilt`, `extraImagesOf` and `pullImage`
 */
export async function findExtra(
  context: Context,
  docker: DockerDaemon,
): Promise<readonly BuiltImage[]> {
  const { config, signal } = context;
  const wanted = (await extraImagesOf(context)).map((name) => ({ key: name, name }));
  if (config.extraImages === 'auto') await pullLacking(context, docker, wanted);
  return findImages(wanted, docker, signal, (missing) => `docker pull ${missing}`);
}

async function pullLacking(
  context: Context,
  docker: DockerDaemon,
  wanted: readonly { readonly name: string }[],
): Promise<void> {
  const logins = hiddenLogins(readLogins(), context.output);
  const steps = wanted.map(({ name }): Step<string> => ({
    id: name,
    title: `pull ${name}`,
    plan: () => [`docker pull ${name}`],
    done: async ({ signal }) =>
      (await docker.inspect(name, signal)) === undefined ? undefined : name,
    run: async (run) => {
      await pullImage(docker, { name, platform: context.config.platform }, logins, run);
      return name;
    },
    describe: () => name,
  }));
  await runStage('Pull', steps, acting(context));
}

async function findImages(
  wanted: readonly { readonly key: string; readonly name: string }[],
  docker: DockerDaemon,
  signal: AbortSignal,
  next: (missing: string) => string,
): Promise<readonly BuiltImage[]> {
  const found = await Promise.all(
    wanted.map(async (image) => ({ ...image, seen: await docker.inspect(image.name, signal) })),
  );
  const missing = found.flatMap(({ name, seen }) => (seen === undefined ? [name] : []));
  const [first] = missing;
  if (first !== undefined) {
    throw new ShipError('build', `Docker has no image ${missing.join(', ')}`, {
      hint: `make it first: ${next(first)}`,
    });
  }
  return found.flatMap(({ key, name, seen }) =>
    seen === undefined ? [] : [{ key, name, ...seen }],
  );
}

/** Images that lie ready in the blob store. */
export interface ReadyImages {
  readonly images: readonly ShipImage[];
  /** What they were built from, when this run built them. */
  readonly tree?: BuiltTree;
}

/** Brings images from Docker into the blob store. Nothing on any node is touched. */
export async function exportImages(
  context: Context,
  docker: DockerDaemon,
  images: readonly BuiltImage[],
  store: BlobStore,
  landed?: EarlyPacking['landed'],
): Promise<readonly ShipImage[]> {
  const choose = (): Promise<ImageExporter> => chooseExporter(docker, context.signal);
  const step = exportStep(images, choose, store, {
    landed: (layer) => landed?.(layer, images),
    self: selfDescription(),
  });
  const exported = await runStage('Export', [step], looking(context));
  const exportedImages = [...exported.values()].flat();
  context.output.record({ images: imagesData(exportedImages) });
  return exportedImages;
}

/** buildx writes only what the store lacks; `docker save` works with every Docker. */
async function chooseExporter(docker: DockerDaemon, signal: AbortSignal): Promise<ImageExporter> {
  const { openBuildxLayouts } = await import('../../system/buildx-export.ts');
  const layouts = await openBuildxLayouts(docker, signal);
  const exporter = layouts === undefined ? saveExporter(docker) : layoutExporter(layouts);
  return unmoved(exporter, async (name, ending) => (await docker.inspect(name, ending))?.id);
}

/**
 * Every image of the config, brought from Docker into the blob store: built first, unless
 * `--no-build` was given. In a dry run there may be none yet. Throws as `buildImages`, `findBuilt` and `exportImages`.
 */
export async function imagesOfDocker(
  context: Context<{ readonly build?: boolean }>,
  store: BlobStore,
): Promise<ReadyImages | 'not built'> {
  const bring = await openImages(context);
  return bring === 'not built' ? bring : bring(store);
}

/** Brings images into a store, and tells of each layer that came there before the rest. */
export type BringInto = (store: BlobStore, landed?: EarlyPacking['landed']) => Promise<ReadyImages>;

/**
 * As `imagesOfDocker`, in two parts: what it returns brings the images into the store, once they are
 * built and Docker has all of them. In a dry run there may be none yet.
 */
export async function openImages(
  context: Context<{ readonly build?: boolean }>,
): Promise<BringInto | 'not built'> {
  const docker = await openDocker(context);
  const built =
    context.flags.build === false
      ? { images: await findBuilt(context, docker) }
      : await buildImages(context, docker, await readSource(context));
  if (isUnbuilt(context, built)) return 'not built';
  const wanted = [...built.images, ...(await findExtra(context, docker))];
  return async (store, landed) => {
    const images = await exportImages(context, docker, wanted, store, landed);
    return 'tree' in built ? { images, tree: built.tree } : { images };
  };
}
