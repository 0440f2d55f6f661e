import { ShipError } from '../core/errors.ts';
import { shortDigest } from '../core/digest.ts';
import type { BuiltImage } from '../core/image.ts';
import type { Run, Step } from '../core/step.ts';
import { packContext } from './context.ts';
import type { BuildEngine, BuildRequest, Built, DockerImages, InspectedImage } from './request.ts';

/**
 * One step for each image. There is no `done`: only a build knows whether its result would differ,
 * and BuildKit's cache makes an unchanged one take seconds.
 *
 * @param requests keys must be unique
 */
export function buildSteps(
  requests: readonly BuildRequest[],
  engine: BuildEngine,
  images: DockerImages,
): Step<BuiltImage>[] {
  return requests.map((request) => ({
    id: `build/${request.key}`,
    title: `build ${request.key} as ${request.name}`,
    plan: () => [planLine(request, engine)],
    run: (run) => buildImage(request, engine, images, run),
    describe: (image) => `${image.key} ${shortDigest(image.id)}`,
  }));
}

async function buildImage(
  request: BuildRequest,
  engine: BuildEngine,
  images: DockerImages,
  run: Run,
): Promise<BuiltImage> {
  const built = await engine.build(request, await packContext(request), run);
  const seen = await images.inspect(request.name, run.signal);
  const { id, diffIds, platform } = verifyBuilt(request, built, seen);
  return { key: request.key, name: request.name, id, diffIds, platform };
}

/**
 * A finished stream proves nothing (F3): the tag must point at the image that the engine named, and
 * that image must run on the platform that was asked for.
 *
 * @throws ShipError `build` with what was found and wanted
 */
export function verifyBuilt(
  { key, name, platform }: BuildRequest,
  { id, config }: Built,
  seen: InspectedImage | undefined,
): InspectedImage {
  if (seen === undefined) {
    throw new ShipError('build', `${key}: built ${shortDigest(id)}, but Docker has no ${name}`, {
      hint: 'something removed the tag meanwhile; run ciliumship build again',
      retryable: true,
    });
  }
  if (seen.id !== id && seen.id !== config) {
    throw new ShipError(
      'build',
      `${key}: built ${shortDigest(id)}, but ${name} is ${shortDigest(seen.id)}`,
      {
        hint: 'another build moved the tag meanwhile; run ciliumship build again',
        retryable: true,
      },
    );
  }
  if (seen.platform !== platform) {
    throw new ShipError('build', `${key}: ${name} is for ${seen.platform}, not ${platform}`, {
      hint: 'set platform in the config to that of the nodes and base images',
    });
  }
  return seen;
}

/** The same build as one command, for people; values are not quoted because nothing runs it. */
function planLine(request: BuildRequest, engine: BuildEngine): string {
  const args = Object.entries(request.buildArgs).map(
    ([key, value]) => `--build-arg ${key}=${value}`,
  );
  const target = request.target === undefined ? [] : [`--target ${request.target}`];
  const options = [
    `-f ${request.dockerfile}`,
    `--platform ${request.platform}`,
    ...target,
    ...args,
  ];
  return `${engine.kind}: build ${options.join(' ')} -t ${request.name} ${request.context}`;
}
