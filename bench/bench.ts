import { sh } from '../lab/shell.ts';
import { contenders } from './contenders.ts';
import { openHelpers } from './engine.ts';
import { buildImages, imageIds, removeImages } from './images.ts';
import { openUplink } from './link.ts';
import { emptyNodes, writeSshConfig } from './nodes.ts';
import { openRegistry } from './registry.ts';
import { runRounds } from './rounds.ts';
import type { Row } from './row.ts';
import type { Selection } from './select.ts';

/**
 * Builds ciliumship and the images, measures what is selected, and leaves Docker and the nodes
 * without any of it.
 *
 * @throws Error when the lab is not up, or when a tool did not bring its images to the nodes
 */
export async function runBench(selection: Selection, rounds: number): Promise<readonly Row[]> {
  const docker = { name: '20.10 classic', env: {} } as const;
  say('building ciliumship and the images');
  await sh('npm', ['run', '--silent', 'build']);
  await buildImages(docker.env, () => undefined);
  const ids = await imageIds(docker.env);
  const registry = await openRegistry();
  try {
    const counters = { uplink: await openUplink(), helpers: await openHelpers() };
    const all = contenders(await writeSshConfig(), registry);
    return await runRounds({ contenders: all, counters, docker, ids, say }, selection, rounds);
  } finally {
    await registry.stop();
    await emptyNodes(ids);
    await removeImages(docker.env);
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
