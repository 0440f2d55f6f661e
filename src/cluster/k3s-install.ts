import { setTimeout as sleep } from 'node:timers/promises';
import { planLines, type Action } from '../core/action.ts';
import { ShipError } from '../core/errors.ts';
import { kubernetesName, type Node } from '../core/node.ts';
import type { Argv, Remote } from '../core/remote.ts';
import type { Run, Step } from '../core/step.ts';
import { lastLines } from '../core/text.ts';
import {
  K3S_BINARY,
  K3S_CONFIG,
  K3S_TOKEN,
  NODE_TOKEN,
  readK3s,
  unitOf,
  type K3sFacts,
} from '../facts/k3s.ts';
import { INBOX, NODE_FOLDER } from '../facts/node-paths.ts';
import type { Entry } from './k3s-config.ts';

/** A file that is brought to the node. */
export interface Brought {
  /** 64 hex digits. */
  readonly sha256: string;
  /** Where it arrives. */
  readonly path: string;
}

/** K3s on one node: all that the install of it needs. */
export interface NodeInstall {
  readonly node: Node;
  readonly entry: Entry;
  /** Text of its config.yaml. */
  readonly config: string;
  readonly binary: Brought;
  readonly installer: Brought;
  readonly remote: Remote;
  /** The server whose cluster it joins; its own when it makes one. */
  readonly server: Remote;
  /** Brings both files to where they arrive. */
  readonly send: (run: Run) => Promise<void>;
  /** Milliseconds until it must have registered. */
  readonly timeout: number;
}

export interface Installed {
  readonly node: string;
  readonly role: Node['role'];
}

/** A command of an install. What goes to its standard input is a file's text, or a secret. */
interface Task extends Action {
  readonly input?: (signal: AbortSignal) => Promise<string>;
  /** Done on the server whose cluster the node joins. */
  readonly onServer?: true;
}

const INSTALLER = `${NODE_FOLDER}/install.sh`;
/** Exit code of `place` for a file with other bytes. */
const OTHER_BYTES = 65;
const INSTALL_TIMEOUT = 5 * 60_000;
const PAUSE = 500;
/** A unit that systemd started so often does not come up by itself. */
const MOST_RESTARTS = 5;

/**
 * Installs K3s on one node. Every part may be repeated: what was cut off in the middle is done by
 * running it again. A node whose K3s runs and is part of the cluster is left alone.
 *
 * @throws ShipError `config` for a config.yaml of somebody else, `integrity` for a file that
 * arrived with other bytes, `deploy` when K3s does not come up; as `Remote.run`
 */
export function installStep(install: NodeInstall): Step<Installed> {
  const { node } = install;
  const installed: Installed = { node: node.name, role: node.role };
  return {
    id: node.name,
    title: `install K3s on ${node.name}`,
    done: async ({ signal }) => ((await isInstalled(install, signal)) ? installed : undefined),
    plan: () => [
      `sftp: write ${install.binary.path}, ${install.installer.path}`,
      ...planLines(tasksOf(install)),
      ...install.config
        .trimEnd()
        .split('\n')
        .map((line) => `  ${K3S_CONFIG}: ${line}`),
    ],
    run: async (run) => {
      refuseForeign(node, await readK3s(install.remote, node.role, run.signal));
      run.progress({ text: 'sending K3s' });
      await install.send(run);
      for (const task of tasksOf(install)) await perform(install, task, run);
      await waitUntilRegistered(install, run);
      await tidy(install, run.signal);
      return installed;
    },
    describe: () => node.name,
  };
}

async function isInstalled(install: NodeInstall, signal: AbortSignal): Promise<boolean> {
  const { unit } = await readK3s(install.remote, install.node.role, signal);
  return unit === 'active' && (await isRegistered(install, signal));
}

function refuseForeign(node: Node, { config }: K3sFacts): void {
  if (config !== 'foreign') return;
  throw new ShipError('config', `${node.name}: ${K3S_CONFIG} is there and was not written by us`, {
    hint: `move it away, or remove what is left of K3s: ciliumship reset --nodes ${node.name} --confirm ${node.name}`,
  });
}

/** Everything that is done once the files have arrived, in order. */
function tasksOf(install: NodeInstall): readonly Task[] {
  const { node, entry, config, binary, installer } = install;
  const unit = unitOf(node.role);
  const joins = entry.as === 'joins';
  return [
    place(binary, K3S_BINARY, '0755'),
    place(installer, INSTALLER, '0700'),
    ...(joins ? [forgetPassword(node)] : []),
    { ...write(K3S_CONFIG), input: async () => config },
    ...(joins ? [{ ...write(K3S_TOKEN), input: tokenOf(install.server) }] : []),
    {
      argv: ['env', ...INSTALLER_SETTINGS, `INSTALL_K3S_EXEC=${node.role}`, 'sh', INSTALLER],
      effect: `makes the unit ${unit} and its scripts, downloads nothing`,
    },
    { argv: ['systemctl', 'restart', '--no-block', unit], effect: 'starts K3s' },
  ];
}

const INSTALLER_SETTINGS = [
  'INSTALL_K3S_SKIP_DOWNLOAD=true',
  'INSTALL_K3S_SKIP_START=true',
  'INSTALL_K3S_SKIP_SELINUX_RPM=true',
] as const;

/** Root hashes its own copy, so that nobody can change it between hashing and use. */
function place({ path, sha256 }: Brought, to: string, mode: string): Task {
  const script = `cp -- "$1" "$2.new" && printf '%s  %s\\n' "$3" "$2.new" | sha256sum -c --status || { rm -f -- "$2.new"; exit ${OTHER_BYTES}; }; chmod "$4" "$2.new" && mv -f -- "$2.new" "$2"`;
  return { argv: ['sh', '-c', script, 'place', path, to, sha256, mode], effect: `brings ${to}` };
}

/** In one moment, so that a cut leaves the old file or the new one; nobody else may read it. */
function write(path: string): Task {
  const script =
    'umask 077 && mkdir -p -- "$(dirname -- "$1")" && cat > "$1.new" && mv -f -- "$1.new" "$1"';
  return { argv: ['sh', '-c', script, 'write', path], effect: `writes ${path}, 0600` };
}

/** The cluster would refuse a node that comes back with another password. */
function forgetPassword(node: Node): Task {
  const secret = `${kubernetesName(node)}.node-password.k3s`;
  const remove = ['delete', 'secret', secret, '--ignore-not-found'];
  return {
    argv: ['k3s', 'kubectl', '-n', 'kube-system', ...remove],
    effect: 'on the server: lets a node of this name join anew',
    onServer: true,
  };
}

function tokenOf(server: Remote): (signal: AbortSignal) => Promise<string> {
  return async (signal) => (await server.run(['cat', NODE_TOKEN], { sudo: true, signal })).stdout;
}

async function perform({ node, remote, server }: NodeInstall, task: Task, run: Run): Promise<void> {
  const { signal } = run;
  run.progress({ text: task.effect });
  const on = task.onServer === true ? server : remote;
  const input = await task.input?.(signal);
  const options = { sudo: true, signal, timeout: INSTALL_TIMEOUT, accept: [OTHER_BYTES] };
  const given = input === undefined ? {} : { input };
  const { code } = await on.run(task.argv, { ...options, ...given });
  if (code !== OTHER_BYTES) return;
  throw new ShipError('integrity', `${node.name}: what arrived has other bytes (${task.effect})`, {
    retryable: true,
    hint: 'run the same command again',
  });
}

async function isRegistered({ node, server }: NodeInstall, signal: AbortSignal): Promise<boolean> {
  const argv: Argv = ['k3s', 'kubectl', 'get', 'node', kubernetesName(node), '-o', 'name'];
  const { code } = await server.run(argv, { sudo: true, signal, accept: [1, 126, 127] });
  return code === 0;
}

/** Not until it is ready: without a CNI no node is. */
async function waitUntilRegistered(install: NodeInstall, run: Run): Promise<void> {
  const end = performance.now() + install.timeout;
  run.progress({ text: 'waiting until it registers' });
  while (!(await isRegistered(install, run.signal))) {
    const late = performance.now() > end;
    if (late || (await restarts(install, run.signal)) >= MOST_RESTARTS) {
      throw await neverCame(install, late, run.signal);
    }
    await sleep(PAUSE, undefined, { signal: run.signal });
  }
}

async function restarts({ node, remote }: NodeInstall, signal: AbortSignal): Promise<number> {
  const argv: Argv = ['systemctl', 'show', '-p', 'NRestarts', '--value', unitOf(node.role)];
  return Number((await remote.run(argv, { sudo: true, signal })).stdout.trim());
}

async function neverCame(
  { node, remote, timeout }: NodeInstall,
  late: boolean,
  signal: AbortSignal,
): Promise<ShipError> {
  const unit = unitOf(node.role);
  const journal: Argv = ['journalctl', '-u', unit, '-n', '20', '--no-pager', '-o', 'cat'];
  const { stdout } = await remote.run(journal, { sudo: true, signal, accept: [1] });
  const how = late ? `did not register within ${timeout / 1000} s` : 'ends again and again';
  return new ShipError('deploy', `${node.name}: K3s ${how}`, {
    details: lastLines(stdout, 20),
    hint: `look on ${node.name}: journalctl -u ${unit}; then run the same command again, it goes on from here`,
  });
}

async function tidy(
  { remote, binary, installer }: NodeInstall,
  signal: AbortSignal,
): Promise<void> {
  const files = [binary.path, installer.path, INSTALLER];
  await remote.run(['rm', '-f', '--', ...files], { sudo: true, signal });
  await remote.run(['rmdir', '--', INBOX], { sudo: true, signal, accept: [1] });
}
