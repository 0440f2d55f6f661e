import type { BuiltImage } from '../../src/core/image.ts';
import type { ImageExporter } from '../../src/image/exporter.ts';
import { layoutExporter } from '../../src/image/export-layout.ts';
import { saveExporter } from '../../src/image/export-save.ts';
import { openBuildxLayouts } from '../../src/system/buildx-export.ts';
import { apiEngine } from '../../src/system/docker-build.ts';
import type { DockerDaemon } from '../../src/system/docker.ts';
import { buildWith, recordedRun, requestOf } from './docker-build.ts';
import { BASE_IMAGE } from './docker-images.ts';
import type { ExportedDocker } from './exporter-suite.ts';

/** A real Docker behind `docker save`. */
export async function realSaves(docker: DockerDaemon): Promise<ExportedDocker> {
  return exported(docker, saveExporter(docker));
}

/** A real Docker behind buildx. Throws where buildx cannot export. */
export async function realLayouts(docker: DockerDaemon): Promise<ExportedDocker> {
  const layouts = await openBuildxLayouts(docker, new AbortController().signal);
  if (layouts === undefined) throw new Error('buildx cannot export from this Docker');
  return exported(docker, layoutExporter(layouts));
}

function exported(docker: DockerDaemon, exporter: ImageExporter): ExportedDocker {
  return { exporter, build: (key, word) => buildImage(docker, key, word) };
}

async function buildImage(docker: DockerDaemon, key: string, word: string): Promise<BuiltImage> {
  const name = `ciliumship-test/exported-${key}:1`;
  const dockerfile = `FROM ${BASE_IMAGE}\nRUN echo ${word} > /word`;
  await buildWith(apiEngine(docker), requestOf(dockerfile, { name }), recordedRun());
  const seen = await docker.inspect(name);
  if (seen === undefined) throw new Error(`${name} was not built`);
  return { key, name, ...seen };
}
