import { sh } from '../lab/shell.ts';
import { startDocker28 } from '../test/support/docker28.ts';
import type { Tool } from './row.ts';

/** The Docker that images are shipped from. */
export interface BenchDocker {
  /** Its version and store: `20.10 classic`. */
  readonly name: string;
  /** Names it to programs. */
  readonly env: NodeJS.ProcessEnv;
  /** Tools that cannot work with it. */
  readonly without: readonly Tool[];
  /** `docker …`, returning what it printed. */
  run(...args: readonly string[]): Promise<string>;
  /** A line of shell in which `docker` is this one. */
  shell(script: string, ...args: readonly string[]): Promise<string>;
  /** Digest of the config of an image: on the nodes that is its id. */
  configOf(name: string): Promise<string>;
  close(): Promise<void>;
}

/** The Docker of this machine, or a newer one with the containerd store beside it. */
export type WhichDocker = 'machine' | '28';

/**
 * Opens the Docker that is asked for.
 *
 * @param which `28` is started in a container without a network, so that no registry can be reached
 */
export async function openDocker(which: WhichDocker): Promise<BenchDocker> {
  if (which === 'machine') return describe({}, [], async () => undefined);
  const newer = await startDocker28('containerd');
  return describe(newer.env, ['registry'], () => newer.stop());
}

async function describe(
  env: NodeJS.ProcessEnv,
  without: readonly Tool[],
  close: () => Promise<void>,
): Promise<BenchDocker> {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const run = (...args: readonly string[]): Promise<string> =>
    sh('env', [...settings, 'docker', ...args]);
  const shell = (script: string, ...args: readonly string[]): Promise<string> =>
    sh('env', [...settings, 'sh', '-c', script, 'bench', ...args]);
  const [version = '', status = ''] = (await run('info', `--format=${ABOUT}`)).split('\n');
  const isClassic = !status.includes('io.containerd.snapshotter');
  return {
    name: dockerName(version, isClassic),
    ...{ env, without, run, shell, close },
    // With the containerd store the id is the manifest's.
    configOf: async (name) =>
      isClassic ? run('image', 'inspect', ID, name) : configIn(shell(SAVED, name)),
  };
}

const ABOUT = '{{.ServerVersion}}\n{{json .DriverStatus}}';
const ID = '--format={{.Id}}';
const SAVED = 'docker save "$1" | tar -xOf - manifest.json';

/** `20.10.24+dfsg1` → `20.10 classic`; since 23 the first number says it all. */
export function dockerName(version: string, isClassic: boolean): string {
  const [major = '', minor = ''] = version.split('.');
  const short = Number(major) >= 23 ? major : `${major}.${minor}`;
  return `${short} ${isClassic ? 'classic' : 'containerd'}`;
}

async function configIn(manifest: Promise<string>): Promise<string> {
  const [image] = JSON.parse(await manifest) as readonly { readonly Config: string }[];
  const hex = /[0-9a-f]{64}/.exec(image?.Config ?? '')?.[0];
  if (hex === undefined) throw new Error('docker save wrote a manifest without a config');
  return `sha256:${hex}`;
}
