import { cpus, totalmem } from 'node:os';
import { Cleanup } from '../src/core/cleanup.ts';
import { sh } from '../lab/shell.ts';
import { CLI, contenders } from './contenders.ts';
import { openDocker, type BenchDocker, type WhichDocker } from './docker.ts';
import { openHelpers } from './engine.ts';
import { AGENT, buildImages, OPERATOR, removeImages, TAG, type Images } from './images.ts';
import { openUplink } from './link.ts';
import { emptyNodes, writeSshConfig } from './nodes.ts';
import { openRegistry } from './registry.ts';
import type { Counters } from './measure.ts';
import { configsOf, runRounds } from './rounds.ts';
import type { Row } from './row.ts';
import type { Results } from './results.ts';
import { saveSeconds, watchSaves } from './saves.ts';
import type { Selection } from './select.ts';
import { startMs } from './start.ts';

/** What is measured, and how often. */
export interface Wanted {
  readonly selection: Selection;
  readonly rounds: number;
  readonly docker: WhichDocker;
}

/**
 * Builds ciliumship and the images, measures what is wanted, and leaves Docker and the nodes
 * without any of it.
 *
 * @throws Error when the lab is not up, or when a tool did not bring its images to the nodes
 */
export async function runBench(wanted: Wanted): Promise<Results> {
  await using undo = new Cleanup();
  const docker = await openDocker(wanted.docker);
  undo.defer(() => docker.close());
  const registry = await openRegistry();
  undo.defer(() => registry.stop());
  say(`building ciliumship, and the images in Docker ${docker.name}`);
  await sh('npm', ['run', '--silent', 'build']);
  undo.defer(() => removeImages(docker));
  const images = await buildImages(docker, () => undefined);
  undo.defer(() => emptyNodes(configsOf(images)));
  const bench = {
    ...{ docker, images, say },
    contenders: contenders(await writeSshConfig(), registry),
    counters: await openCounters(docker, images),
    saveSeconds: await saveSeconds(docker, [`${AGENT}:v1`, `${OPERATOR}:${TAG}`]),
  };
  return about(await startMs(CLI), await runRounds(bench, wanted.selection, wanted.rounds));
}

async function openCounters(docker: BenchDocker, images: Images): Promise<Counters> {
  const ids = Object.values(images).map(({ id }) => id);
  return {
    uplink: await openUplink(),
    helpers: await openHelpers(),
    saves: () => watchSaves(docker, ids),
  };
}

function about(start: number, rows: readonly Row[]): Results {
  const processors = cpus();
  const memory = (totalmem() / 1e9).toFixed(0);
  return {
    rows,
    startMs: Math.round(start),
    machine: `${processors.length} × ${processors[0]?.model ?? 'processor'}, ${memory} GB`,
    date: new Date().toISOString().slice(0, 10),
  };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
