import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { docker } from '../../lab/docker.ts';
import { buildRoot, importRoot } from '../../lab/node-image.ts';
import { sh, succeeds, until } from '../../lab/shell.ts';
import { workFolder } from '../folders.ts';

/** Many machines that a push can go to, behind one sshd; what they do themselves costs little. */
export interface Endpoints {
  /** ssh config that reaches n1, n2 … */
  readonly sshConfig: string;
  /** Where all of them answer, on 127.0.0.1. */
  readonly port: number;
  /** Runs a script as root beside them; each has its own root below /nodes. */
  run(script: string): Promise<string>;
  /** Forgets what was shipped to them. */
  empty(): Promise<void>;
  stop(): Promise<void>;
}

const TOOLS = join(import.meta.dirname, '../tools');
const RIGHTS = [
  '--cap-add=ALL',
  '--cap-drop=SYS_RESOURCE',
  '--security-opt=seccomp=unconfined',
  '--security-opt=apparmor=unconfined',
];

/** Starts so many. Throws when Docker or ssh-keygen is missing. */
export async function startEndpoints(count: number): Promise<Endpoints> {
  const folder = workFolder('endpoints');
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  const key = await makeKeys(folder);
  const name = `ciliumship-endpoints-${process.pid}`;
  const image = await importRoot(await buildRoot());
  await docker(
    ...['run', '-d', '--rm', '--name', name, ...RIGHTS, '-p', '127.0.0.1::22'],
    ...['-v', `${folder}:/keys`, '-v', `${TOOLS}:/stub:ro`, '-v', '/nodes'],
    ...[image, 'sh', '/stub/endpoints.sh', String(count)],
  );
  const port = (await docker('port', name, '22/tcp')).split('\n')[0]?.replace(/^.*:/, '') ?? '';
  const sshConfig = join(folder, 'ssh_config');
  writeFileSync(join(folder, 'known_hosts'), `[127.0.0.1]:${port} ${key}\n`);
  writeFileSync(sshConfig, configOf(folder, port, count));
  await until('the endpoints answer', 120, () =>
    succeeds('ssh', ['-F', sshConfig, `n${count}`, 'true']),
  );
  const run = (script: string): Promise<string> => docker('exec', name, 'sh', '-c', script);
  return {
    sshConfig,
    port: Number(port),
    run,
    empty: async () => void (await run('rm -rf /nodes/*/var/lib/rancher/stub')),
    stop: async () => void (await docker('rm', '--force', '--volumes', name)),
  };
}

async function makeKeys(folder: string): Promise<string> {
  for (const name of ['host', 'id']) {
    await sh('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', join(folder, name)]);
  }
  await sh('cp', [join(folder, 'id.pub'), join(folder, 'authorized_keys')]);
  chmodSync(folder, 0o755);
  return (await sh('cat', [join(folder, 'host.pub')])).trim();
}

function configOf(folder: string, port: string, count: number): string {
  const users = Array.from(
    { length: count },
    (_, index) => `Host n${index + 1}\n  User n${index + 1}\n`,
  );
  return `${users.join('')}Host n*
  HostName 127.0.0.1
  Port ${port}
  IdentityFile ${folder}/id
  IdentityAgent none
  UserKnownHostsFile ${folder}/known_hosts
  GlobalKnownHostsFile /dev/null
`;
}
