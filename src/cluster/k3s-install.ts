import { planLines } from '../core/action.ts';
import { ShipError } from '../core/errors.ts';
import type { Node } from '../core/node.ts';
import type { Run, Step } from '../core/step.ts';
import { K3S_CONFIG, readK3s, type K3sFacts } from '../facts/k3s.ts';
import { INBOX } from '../facts/node-paths.ts';
import { changesOf } from './k3s-change.ts';
import { isRegistered, waitUntilRegistered } from './k3s-register.ts';
import {
  COMPLETE,
  INSTALLER,
  OTHER_BYTES,
  tasksOf,
  type NodeInstall,
  type Task,
} from './k3s-tasks.ts';

export interface Installed {
  readonly node: string;
  readonly role: Node['role'];
  readonly how: 'installed' | 'changed' | 'already there' | 'there, and not by us';
}

const INSTALL_TIMEOUT = 5 * 60_000;

/**
 * Installs K3s on one node. Every part may be repeated: what was cut off in the middle is done by
 * running it again. A node whose K3s runs as it should and is part of the cluster is left alone.
 *
 * @throws ShipError `config` for a config.yaml of somebody else, `integrity` for a file that
 * arrived with other bytes, `deploy` when K3s does not come up; as `Remote.run`
 */
export function installStep(install: NodeInstall): Step<Installed> {
  const { node } = install;
  const installed: Installed = { node: node.name, role: node.role, how: 'installed' };
  return {
    id: node.name,
    title: `install K3s on ${node.name}`,
    done: async ({ signal }) => {
      const how = await foundThere(install, signal);
      return how === undefined ? undefined : { ...installed, how };
    },
    plan: () => [
      `sftp: write ${install.binary.path}, ${install.installer.path}`,
      ...planLines(tasksOf(install)),
      `${K3S_CONFIG} says then:`,
      ...install.config
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => `  ${line}`),
    ],
    run: async (run) => {
      refuseForeign(node, await readK3s(install.remote, node.role, run.signal));
      run.progress({ text: 'sending K3s' });
      await install.send(run);
      for (const task of tasksOf(install)) await perform(install, task, run);
      await waitUntilRegistered(install, run);
      await perform(install, COMPLETE, run);
      await tidy(install, run.signal);
      return installed;
    },
    describe: ({ how }) => `${node.name} ${how}`,
  };
}

/** Undefined when there is something to do: K3s is no part of the cluster, or runs otherwise. */
async function foundThere(
  install: NodeInstall,
  signal: AbortSignal,
): Promise<Installed['how'] | undefined> {
  const state = await readK3s(install.remote, install.node.role, signal);
  if (state.unit !== 'active' || !(await isRegistered(install, signal))) return undefined;
  if (state.text === undefined) return 'there, and not by us';
  const same = changesOf(install.node, state.text, install.config).length === 0;
  return same && !state.changing ? 'already there' : undefined;
}

function refuseForeign(node: Node, { config }: K3sFacts): void {
  if (config !== 'foreign') return;
  throw new ShipError('config', `${node.name}: ${K3S_CONFIG} is there and was not written by us`, {
    hint: `move it away, or remove what is left of K3s: ciliumship reset --nodes ${node.name} --confirm ${node.name}`,
  });
}

export async function perform(
  { node, remote, server }: NodeInstall,
  task: Task,
  run: Run,
): Promise<void> {
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

async function tidy(
  { remote, binary, installer }: NodeInstall,
  signal: AbortSignal,
): Promise<void> {
  const files = [binary.path, installer.path, INSTALLER];
  await remote.run(['rm', '-f', '--', ...files], { sudo: true, signal });
  await remote.run(['rmdir', '--', INBOX], { sudo: true, signal, accept: [1] });
}
