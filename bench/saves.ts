import { execa } from 'execa';
import type { BenchDocker } from './docker.ts';

/** Reads Docker's log of events from now on. */
export interface SaveWatch {
  /** @returns whether Docker saved one of the images meanwhile */
  stop(): Promise<boolean>;
}

/**
 * Watches Docker for saved images. It is not asked afterwards, because it keeps only the last 256
 * events.
 *
 * @param ids Docker's ids of the images; others may be saved meanwhile by others
 */
export function watchSaves(docker: BenchDocker, ids: readonly string[]): SaveWatch {
  const filters = ['--filter=type=image', '--filter=event=save'];
  const events = execa('docker', ['events', ...filters], {
    env: docker.env,
    reject: false,
    stdin: 'ignore',
  });
  return {
    stop: async () => {
      events.kill();
      const { stdout } = await events;
      return ids.some((id) => stdout.includes(id));
    },
  };
}

/** Seconds that `docker save` of the images takes when nothing waits for what it writes. */
export async function saveSeconds(docker: BenchDocker, names: readonly string[]): Promise<number> {
  const started = performance.now();
  await docker.shell('docker save "$@" > /dev/null', ...names);
  return (performance.now() - started) / 1000;
}
