import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { run, until } from './parts.ts';

/** An ssh-agent of its own with some keys. */
export interface OwnAgent {
  readonly socket: string;
  stop(): Promise<void>;
}

/**
 * @param socket path that does not exist yet
 * @param keys paths of private keys to load
 */
export async function startAgent(socket: string, keys: readonly string[]): Promise<OwnAgent> {
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  await until('ssh-agent listens', 20, () => existsSync(socket));
  for (const key of keys) await run(['ssh-add', '-q', key], { SSH_AUTH_SOCK: socket });
  return {
    socket,
    stop: async () => {
      child.kill();
      await until(
        'ssh-agent has ended',
        20,
        () => child.exitCode !== null || child.signalCode !== null,
      );
    },
  };
}
