import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, hashOf } from '../lab/cache.ts';
import { SUITE, unpackPackage } from '../lab/debian.ts';
import { until } from '../lab/shell.ts';
import { workFolder } from './folders.ts';

/** Debian's registry, on this machine only. */
export const REGISTRY = '127.0.0.1:5055';

export interface Registry {
  /** Starts it without any image, or starts it anew. */
  restartEmpty(): Promise<void>;
  stop(): Promise<void>;
}

/** Gets the registry's program; it is not started yet. */
export async function openRegistry(): Promise<Registry> {
  const name = 'docker-registry';
  const folder = await cached(`bench-${name}`, hashOf([], [SUITE, name]), (to) =>
    unpackPackage(name, SUITE, to),
  );
  const program = join(folder, 'usr/bin', name);
  let running: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (running?.kill('SIGTERM')) await once(running, 'exit');
    running = undefined;
  };
  const restartEmpty = async (): Promise<void> => {
    await stop();
    running = spawn(program, ['serve', writeConfig()], { stdio: 'ignore' });
    await until('the registry', 30, answers);
  };
  return { restartEmpty, stop };
}

/** @returns the path of a config that names an empty folder */
function writeConfig(): string {
  const data = join(workFolder('registry'), 'data');
  rmSync(data, { recursive: true, force: true });
  mkdirSync(data);
  const file = join(workFolder('registry'), 'config.yml');
  const lines = [
    'version: 0.1',
    'log: { level: error, accesslog: { disabled: true } }',
    `storage: { filesystem: { rootdirectory: ${data} } }`,
    `http: { addr: '${REGISTRY}' }`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

async function answers(): Promise<boolean> {
  return fetch(`http://${REGISTRY}/v2/`).then(
    ({ ok }) => ok,
    () => false,
  );
}
