import type { BenchDocker } from './docker.ts';

/**
 * Asks Docker's log of events whether it saved one of some images since a moment.
 *
 * @param ids Docker's ids of the images; others may be saved meanwhile by others
 */
export function saveLog(
  docker: BenchDocker,
  ids: readonly string[],
): (start: Date) => Promise<boolean> {
  return async (start) => {
    const [since, until] = [start, new Date()].map((at) => (at.getTime() / 1000).toFixed(3));
    const period = [`--since=${since}`, `--until=${until}`];
    const log = await docker.run('events', ...period, '--filter=type=image', '--filter=event=save');
    return ids.some((id) => log.includes(id));
  };
}

/** Seconds that `docker save` of the images takes when nothing waits for what it writes. */
export async function saveSeconds(docker: BenchDocker, names: readonly string[]): Promise<number> {
  const started = performance.now();
  await docker.shell('docker save "$@" > /dev/null', ...names);
  return (performance.now() - started) / 1000;
}
