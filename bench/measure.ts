import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Helpers } from './engine.ts';
import { workFolder } from './folders.ts';
import type { Uplink } from './link.ts';
import { secondsOfTimes, watchMemory } from './processes.ts';
import type { Sample } from './row.ts';
import type { SaveWatch } from './saves.ts';

/** A command of a tool, with all that it needs to know. */
export interface Command {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Names the Docker. */
  readonly docker: NodeJS.ProcessEnv;
}

/** What is looked at while a command runs. */
export interface Counters {
  readonly uplink: Uplink;
  readonly helpers: Helpers;
  /** Starts to look whether Docker saves an image. */
  readonly saves: () => SaveWatch;
}

const LIMIT = 30 * 60_000;
/** bash tells how long the children that it waited for computed, and theirs. */
const TIMED = '"$@"; code=$?; times > "$TIMES"; exit $code';

/**
 * Runs a command and measures it.
 *
 * @throws Error with its last lines when it fails
 */
export async function measure(command: Command, counters: Counters): Promise<Measured> {
  const { uplink, helpers, saves } = counters;
  const watch = saves();
  const before = { sent: uplink.sentBytes(), helpers: await helpers.seconds() };
  const own = await runTimed(command).catch(async (error: unknown) => {
    await watch.stop();
    throw error;
  });
  return {
    ...own,
    bytes: uplink.sentBytes() - before.sent,
    allCpuSeconds: own.cpuSeconds + (await helpers.seconds()) - before.helpers,
    dockerSave: await watch.stop(),
  };
}

/** All but what follows from the link. */
export type Measured = Omit<Sample, 'floorSeconds'>;

type Own = Pick<Sample, 'seconds' | 'rssMB' | 'cpuSeconds'>;

async function runTimed({ argv, env, docker }: Command): Promise<Own> {
  const times = join(workFolder('run'), 'times');
  const started = performance.now();
  const child = execa('bash', ['-c', TIMED, 'timed', ...argv], {
    env: { ...docker, ...env, TIMES: times },
    all: true,
    stdin: 'ignore',
    timeout: LIMIT,
    reject: false,
  });
  const memory = watchMemory(child.pid ?? 0);
  const { exitCode, all } = await child;
  const seconds = (performance.now() - started) / 1000;
  const rssMB = memory.stop();
  if (exitCode !== 0) throw new Error(`${argv.join(' ')} failed:\n${lastLines(all)}`);
  return { seconds, rssMB, cpuSeconds: secondsOfTimes(readFileSync(times, 'utf8')) };
}

function lastLines(text: string | undefined): string {
  return (text ?? '').trim().split('\n').slice(-12).join('\n');
}
