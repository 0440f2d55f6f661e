import { runProcess } from './process.ts';
import type { Argv } from '../core/remote.ts';

/** A program of this machine that ciliumship makes use of. */
export interface Tool {
  readonly name: string;
  /** Undefined when it is not there, or does not answer. */
  readonly version: string | undefined;
  /** What does not work without it, and how to get it. */
  readonly lacks: string;
}

interface Program {
  readonly name: string;
  readonly argv: Argv;
  readonly lacks: string;
}

/** Milliseconds; a program that only prints its version and takes longer is broken. */
const ANSWER_WITHIN = 5000;
const VERSION = /\d+\.\d+(?:\.\d+)?(?:p\d+)?/;

export const PROGRAMS: readonly Program[] = [
  {
    name: 'docker client',
    argv: ['docker', '--version'],
    lacks: 'buildx, and addresses of Docker in its contexts; install the docker command',
  },
  {
    name: 'buildx',
    argv: ['docker', 'buildx', 'version'],
    lacks: 'exports of only what changed; install docker-buildx-plugin',
  },
  {
    name: 'helm',
    argv: ['helm', 'version', '--template', '{{.Version}}'],
    lacks: 'deploy, rollback and ship; install Helm 3.8 or later',
  },
  { name: 'ssh', argv: ['ssh', '-V'], lacks: 'every node; install the OpenSSH client' },
  { name: 'git', argv: ['git', '--version'], lacks: 'build and ship; install git' },
  {
    name: 'zstd',
    argv: ['zstd', '--version'],
    lacks: 'patches, and layers are sent larger as gzip; install zstd 1.4.5 or later',
  },
];

/** Asks every program for its version, all at once. One that is missing fails nothing. */
export function readTools(
  signal: AbortSignal,
  programs: readonly Program[] = PROGRAMS,
): Promise<readonly Tool[]> {
  return Promise.all(
    programs.map(async ({ name, argv, lacks }) => ({
      name,
      version: await askVersion(argv, signal),
      lacks,
    })),
  );
}

async function askVersion(argv: Argv, signal: AbortSignal): Promise<string | undefined> {
  const answer = await runProcess(argv, { signal, timeout: ANSWER_WITHIN }).catch(() => undefined);
  // ssh prints its version on standard error.
  return answer === undefined ? undefined : VERSION.exec(answer.stdout || answer.stderr)?.[0];
}
