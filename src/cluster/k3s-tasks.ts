import type { Action } from '../core/action.ts';
import { kubernetesName, type Node } from '../core/node.ts';
import type { Remote } from '../core/remote.ts';
import type { Run } from '../core/step.ts';
import {
  K3S_BINARY,
  K3S_CONFIG,
  K3S_CONFIG_BEFORE,
  K3S_TOKEN,
  NODE_TOKEN,
  unitOf,
  type K3sFacts,
} from '../facts/k3s.ts';
import { NODE_FOLDER } from '../facts/node-paths.ts';
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
  /** How far K3s was when the run began. */
  readonly state: K3sFacts;
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

/** A command of an install. What goes to its standard input is a file's text, or a secret. */
export interface Task extends Action {
  readonly input?: (signal: AbortSignal) => Promise<string>;
  /** Done on the server whose cluster the node joins. */
  readonly onServer?: true;
}

export const INSTALLER = `${NODE_FOLDER}/install.sh`;
/** Exit code of a task for a file with other bytes. */
export const OTHER_BYTES = 65;

/** Everything that is done once the files have arrived, in order. */
export function tasksOf(install: NodeInstall): readonly Task[] {
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
    start(node, 'starts K3s'),
  ];
}

/** A K3s that is in the cluster gets another config.yaml. A cut keeps the one of before beside it. */
export function changeTasks({ node, config }: NodeInstall): readonly Task[] {
  const keep = 'test -e "$2" || cp -p -- "$1" "$2"';
  return [
    {
      argv: ['sh', '-c', keep, 'keep', K3S_CONFIG, K3S_CONFIG_BEFORE],
      effect: `keeps ${K3S_CONFIG} as it is until K3s is back`,
    },
    { ...write(K3S_CONFIG), input: async () => config },
    start(node, 'starts K3s again; pods stay'),
  ];
}

/** K3s is back with the new config.yaml. */
export const COMPLETE: Task = {
  argv: ['rm', '-f', '--', K3S_CONFIG_BEFORE],
  effect: 'forgets the config.yaml of before',
};

/** K3s gets back the config.yaml that it ran with. */
export function restoreTasks({ node }: NodeInstall): readonly Task[] {
  return [
    {
      argv: ['mv', '-f', '--', K3S_CONFIG_BEFORE, K3S_CONFIG],
      effect: `puts ${K3S_CONFIG} back`,
    },
    start(node, 'starts K3s with it'),
  ];
}

function start({ role }: Node, effect: string): Task {
  return { argv: ['systemctl', 'restart', '--no-block', unitOf(role)], effect };
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
