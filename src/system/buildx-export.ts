import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Digest } from '../core/digest.ts';
import type { BuiltImage } from '../core/image.ts';
import type { Argv } from '../core/remote.ts';
import type { Run } from '../core/step.ts';
import { buildxVersion, followBuildx, readMetadata, type BuildxOptions } from './buildx.ts';
import { PATIENCE, watchSilence } from './docker-watch.ts';
import type { DockerDaemon } from './docker.ts';

type Named = Pick<BuiltImage, 'name' | 'platform'>;

/** Writes what an OCI layout lacks of an image of Docker. */
export interface BuildxLayouts {
  /**
   * @param folder an OCI layout
   * @returns digest of the image's manifest. Throws ShipError `build` when buildx fails
   */
  writeLayout(image: Named, folder: string, run: Run): Promise<Digest>;
}

/**
 * Exports images of Docker through buildx, where it can: Docker must keep its images in containerd,
 * because only then BuildKit sees them, and the plugin must surely mean the same Docker as we do.
 *
 * @returns undefined where it cannot
 */
export async function openBuildxLayouts(
  docker: DockerDaemon,
  signal: AbortSignal,
  options: BuildxOptions = {},
): Promise<BuildxLayouts | undefined> {
  if (!docker.host.url.startsWith('unix:')) return undefined;
  if ((await docker.info(signal)).store !== 'containerd') return undefined;
  if (!isUsable(await buildxVersion(options.command))) return undefined;
  return { writeLayout: (...image) => writeLayout(docker, options, ...image) };
}

/** Older ones report no digests. */
function isUsable(version: string | undefined): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return major > 0 || minor >= 13;
}

async function writeLayout(
  docker: DockerDaemon,
  options: BuildxOptions,
  image: Named,
  folder: string,
  run: Run,
): Promise<Digest> {
  const patience = { ...PATIENCE, ...options.patience };
  const watch = watchSilence(docker.host, docker.api, run.signal, patience);
  const metadata = join(folder, 'metadata.json');
  try {
    const argv = layoutArgv(options.command ?? 'docker', image, folder, metadata);
    const context = Readable.from([`FROM ${image.name}\n`], { objectMode: false });
    await followBuildx(argv, image.name, { context, run, watch, url: docker.host.url });
    return (await readMetadata(metadata, image.name)).id;
  } catch (error) {
    throw watch.reason(error, `export of ${image.name}`);
  } finally {
    watch.stop();
    await rm(metadata, { force: true });
  }
}

/** The command line; the one-line Dockerfile comes on standard input. */
export function layoutArgv(command: string, image: Named, folder: string, metadata: string): Argv {
  const output = ['type=oci', 'tar=false', `dest=${folder}`, 'compression=uncompressed'];
  return [
    command,
    'buildx',
    'build',
    // Whatever builder is chosen for builds: only Docker's own has Docker's images.
    '--builder=default',
    '--provenance=false',
    '--sbom=false',
    '--progress=rawjson',
    '--platform',
    image.platform,
    '--output',
    [...output, 'force-compression=true'].map(csvField).join(','),
    '--metadata-file',
    metadata,
    '-',
  ];
}

/** buildx reads `--output` as a line of CSV, and a folder may have a comma in its name. */
function csvField(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
