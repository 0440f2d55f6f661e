import { cpus, totalmem } from 'node:os';
import { sh } from '../lab/shell.ts';
import { CLI, contenders } from './contenders.ts';
import { openHelpers, saveLog } from './engine.ts';
import { buildImages, imageIds, removeImages } from './images.ts';
import { openUplink } from './link.ts';
import { emptyNodes, writeSshConfig } from './nodes.ts';
import { openRegistry } from './registry.ts';
import { runRounds } from './rounds.ts';
import type { Row } from './row.ts';
import type { Results } from './results.ts';
import type { Selection } from './select.ts';
import { startMs } from './start.ts';

/**
 * Builds ciliumship and the images, measures what is selected, and leaves Docker and the nodes
 * without any of it.
 *
 * @throws Error when the lab is not up, or when a tool did not bring its images to the nodes
 */
export async function runBench(selection: Selection, rounds: number): Promise<Results> {
  const docker = { name: '20.10 classic', env: {} } as const;
  say('building ciliumship and the images');
  await sh('npm', ['run', '--silent', 'build']);
  await buildImages(docker.env, () => undefined);
  const ids = await imageIds(docker.env);
  const registry = await openRegistry();
  try {
    const counters = {
      uplink: await openUplink(),
      helpers: await openHelpers(),
      saved: saveLog(docker.env, ids),
    };
    const all = contenders(await writeSshConfig(), registry);
    const bench = { contenders: all, counters, docker, ids, say };
    const start = await startMs(CLI);
    return about(start, await runRounds(bench, selection, rounds));
  } finally {
    await registry.stop();
    await emptyNodes(ids);
    await removeImages(docker.env);
  }
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
