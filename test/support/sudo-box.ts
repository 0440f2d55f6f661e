import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, until } from './parts.ts';
import { makeKey } from './ssh-files.ts';
import type { Reachable } from './sshd.ts';

/** A container with sshd, sudo, and a user `admin` whose rights a test sets. */
export interface SudoBox extends Reachable {
  /** Runs a script as root, past SSH. */
  asRoot(script: string): Promise<string>;
  stop(): Promise<void>;
}

const SSHD = [
  '/usr/sbin/sshd -D -e -o UsePAM=yes -o StrictModes=no -o PermitRootLogin=yes',
  '-o HostKey=/keys/host -o AuthorizedKeysFile=/keys/authorized_keys',
].join(' ');

/** The root file system of the lab's nodes, which has sshd and sudo. Throws when there is none. */
export async function labRootImage(): Promise<string> {
  const [image = ''] = (await run(['docker', 'images', '-q', 'ciliumship-lab/root'])).split('\n');
  if (image === '') throw new Error('the image of the lab is not there: npm run lab -- up');
  return image;
}

/** @param folder a new one, for its keys */
export async function startSudoBox(folder: string): Promise<SudoBox> {
  mkdirSync(folder);
  const hostKey = makeKey(join(folder, 'host'));
  writeFileSync(join(folder, 'authorized_keys'), '');
  const name = `ciliumship-sudo-${process.pid}`;
  const start = `mkdir -p /run/sshd; chown -R root /keys; exec ${SSHD}`;
  await run([
    ...(['docker', 'run', '-d', '--rm', '--name', name] as const),
    ...['-p', '127.0.0.1::22', '-v', `${folder}:/keys`],
    ...[await labRootImage(), '/bin/sh', '-c', start],
  ]);
  const asRoot = (script: string): Promise<string> =>
    run(['docker', 'exec', name, 'sh', '-c', script]);
  const log = (): Promise<string> => run(['sh', '-c', 'docker logs "$1" 2>&1', 'log', name]);
  await until('sshd listens', 30, async () => (await log()).includes('Server listening'));
  const [port = ''] = (await run(['docker', 'port', name, '22/tcp'])).split('\n');
  return {
    port: Number(port.replace(/^.*:/, '')),
    user: 'admin',
    authorizedKeys: join(folder, 'authorized_keys'),
    hostKeys: [hostKey],
    asRoot,
    stop: async () => void (await run(['docker', 'rm', '-f', name])),
  };
}
