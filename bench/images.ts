import { linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildRoot } from '../lab/node-image.ts';
import { sh } from '../lab/shell.ts';
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

/**
 * Builds the images in Docker: an agent, the agent after a change of one function, an operator.
 *
 * @param env names the Docker
 */
export async function buildImages(
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
): Promise<void> {
  const root = join(await buildRoot(), 'root.tar');
  const { proxy, operator, agent, changedAgent } = await buildPrograms(log);
  const parts = { 'root.tar': [root], proxy: [proxy] };
  await build(`${AGENT}:v1`, AGENT_TEXT, { ...parts, programs: agent }, env);
  await build(`${AGENT}:v2`, AGENT_TEXT, { ...parts, programs: changedAgent }, env);
  await build(`${OPERATOR}:${TAG}`, OPERATOR_TEXT, { programs: [operator] }, env);
}

/** Gives the tag that is shipped to one of the two agents. */
export async function tagAgent(version: Version, env: NodeJS.ProcessEnv): Promise<void> {
  await dockerWith(env, 'tag', `${AGENT}:${version}`, `${AGENT}:${TAG}`);
}

/** Docker's ids of all images of the benchmark. */
export function imageIds(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  return idsOf(env, `${AGENT}:v1`, `${AGENT}:v2`, `${OPERATOR}:${TAG}`);
}

/** Docker's ids of the images that are shipped now. */
export function shippedIds(env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  return idsOf(env, `${AGENT}:${TAG}`, `${OPERATOR}:${TAG}`);
}

async function idsOf(
  env: NodeJS.ProcessEnv,
  ...names: readonly string[]
): Promise<readonly string[]> {
  return (await dockerWith(env, 'image', 'inspect', '--format={{.Id}}', ...names)).split('\n');
}

/** Removes every image of the benchmark from Docker, under whatever names. */
export async function removeImages(env: NodeJS.ProcessEnv): Promise<void> {
  const ours = ['bench.local/*', '*/bench.local/*'].map((name) => `--filter=reference=${name}`);
  const ids = await dockerWith(env, 'image', 'ls', '--quiet', '--no-trunc', ...ours);
  for (const id of new Set(ids.split('\n').filter(Boolean))) {
    await dockerWith(env, 'image', 'rm', '--force', id);
  }
}

/** `docker …` against the Docker that `env` names. */
export function dockerWith(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<string> {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return sh('env', [...settings, 'docker', ...args]);
}

async function build(
  name: string,
  dockerfile: string,
  parts: Readonly<Record<string, readonly string[]>>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const context = join(workFolder('contexts'), basename(name).replace(':', '-'));
  rmSync(context, { recursive: true, force: true });
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), dockerfile);
  for (const [path, files] of Object.entries(parts)) layOut(context, path, files);
  await dockerWith(env, 'build', '--quiet', '--tag', name, context);
  rmSync(context, { recursive: true });
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
