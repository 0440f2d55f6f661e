import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildRoot } from '../lab/node-image.ts';
import type { BenchDocker } from './docker.ts';
import { workFolder } from './folders.ts';
import { buildPrograms } from './programs.ts';

/** The images that are shipped: as large as Cilium's, with the same kinds of layers. */

export const AGENT = 'bench.local/agent';
export const OPERATOR = 'bench.local/operator';
export const TAG = 'dev';

/** Which of the two agents bears the tag that is shipped. */
export type Version = 'v1' | 'v2';

const AGENT_TEXT = `FROM scratch
ADD root.tar /
COPY proxy/ /usr/bin/
COPY programs/ /usr/bin/
`;
const OPERATOR_TEXT = `FROM scratch
COPY programs/ /usr/bin/
`;

/** One image as Docker and as the nodes know it. */
export interface Image {
  /** Docker's id, which its log of events bears. */
  readonly id: string;
  /** Digest of the config: the id of the CRI. */
  readonly config: string;
}

/** The two agents and the operator. */
export type Images = Readonly<Record<Version | 'operator', Image>>;

/** Builds the images: an agent, the agent after a change of one function, an operator. */
export async function buildImages(
  docker: BenchDocker,
  log: (line: string) => void,
): Promise<Images> {
  const root = join(await buildRoot(), 'root.tar');
  const { proxy, operator, agent, changedAgent } = await buildPrograms(log);
  const parts = { 'root.tar': [root], proxy: [proxy] };
  return {
    v1: await build(`${AGENT}:v1`, AGENT_TEXT, { ...parts, programs: agent }, docker),
    v2: await build(`${AGENT}:v2`, AGENT_TEXT, { ...parts, programs: changedAgent }, docker),
    operator: await build(`${OPERATOR}:${TAG}`, OPERATOR_TEXT, { programs: [operator] }, docker),
  };
}

/** Gives the tag that is shipped to one of the two agents. */
export async function tagAgent(version: Version, docker: BenchDocker): Promise<void> {
  await docker.run('tag', `${AGENT}:${version}`, `${AGENT}:${TAG}`);
}

/** Removes every image of the benchmark from Docker, under whatever names. */
export async function removeImages(docker: BenchDocker): Promise<void> {
  const ours = ['bench.local/*', '*/bench.local/*'].map((name) => `--filter=reference=${name}`);
  const ids = await docker.run('image', 'ls', '--quiet', '--no-trunc', ...ours);
  for (const id of new Set(ids.split('\n').filter(Boolean))) {
    await docker.run('image', 'rm', '--force', id);
  }
}

async function build(
  name: string,
  dockerfile: string,
  parts: Readonly<Record<string, readonly string[]>>,
  docker: BenchDocker,
): Promise<Image> {
  const context = join(workFolder('contexts'), basename(name).replace(':', '-'));
  rmSync(context, { recursive: true, force: true });
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), dockerfile);
  for (const [path, files] of Object.entries(parts)) layOut(context, path, files);
  await docker.run('build', '--quiet', '--tag', name, context);
  rmSync(context, { recursive: true });
  const id = await docker.run('image', 'inspect', '--format={{.Id}}', name);
  return { id, config: await docker.configOf(name) };
}

/** A path with a dot is a file, another one a folder of files. */
function layOut(context: string, path: string, files: readonly string[]): void {
  const isFile = path.includes('.');
  if (!isFile) mkdirSync(join(context, path));
  for (const file of files) {
    const to = isFile ? join(context, path) : join(context, path, basename(file));
    linkSync(file, to);
  }
}
