import type { Action } from '../../core/action.ts';
import { isBelow } from '../../facts/mounts.ts';
import { SURVIVING, type Remains } from '../../facts/remains.ts';
import { K3S_PATHS, OWN_MOUNTS } from '../../facts/remains-paths.ts';
import { removeExisting, runGuarded } from './remove.ts';
import type { Phase } from './phase.ts';

/** Units that systemd would start again are stopped first, or they bring everything back. */
export const units: Phase = {
  title: 'K3s',
  actions: (remains) =>
    [...remains.units]
      .filter(([, state]) => !['inactive', 'failed', 'unknown'].includes(state))
      .map(([unit]) => ({ argv: ['systemctl', 'stop', unit], effect: `stops ${unit}` })),
};

/** Politely at first: agents let go of what they hold. */
const END = `pids() { for dir in /proc/[0-9]*; do grep -qE "$0" "$dir/cgroup" 2>/dev/null && echo "\${dir#/proc/}"; done; }; for signal in TERM KILL; do kill -s $signal $(pids) 2>/dev/null; i=0; while [ -n "$(pids)" ] && [ $i -lt 25 ]; do sleep 0.2; i=$((i + 1)); done; done; [ -z "$(pids)" ]`;

/** Containers outlive K3s: its units end only their first process. */
export const survivors: Phase = {
  title: 'processes',
  actions: ({ survivors: left }) =>
    left.length === 0
      ? []
      : [
          {
            argv: ['sh', '-c', END, SURVIVING],
            effect: `ends ${left.length} processes of K3s and its containers: ${commandsOf(left)}`,
          },
        ],
};

function commandsOf(left: Remains['survivors']): string {
  const names = left.map(({ command }) => command.split(' ')[0]?.split('/').at(-1) ?? '');
  return [...new Set(names)].filter((name) => name !== '').join(', ');
}

export const mounts: Phase = {
  title: 'mounts',
  actions: (remains) => {
    const own = remains.mounts.filter(({ target }) => isOwn(target));
    const off: readonly Action[] =
      own.length === 0
        ? []
        : [
            {
              argv: ['umount', '--', ...own.map(({ target }) => target)],
              effect: `unmounts ${own.length} mounts of K3s and its pods`,
            },
          ];
    return [...off, ...remains.namespaces.map(forgetNamespace)];
  },
};

/** Whether a mount is of K3s, its pods or Cilium. */
export function isOwn(target: string): boolean {
  return OWN_MOUNTS.some((path) => isBelow(target, path));
}

function forgetNamespace(path: string): Action {
  const name = path.split('/').at(-1) ?? '';
  return {
    argv: ['ip', 'netns', 'delete', name],
    effect: `removes the network of the pod ${name}`,
  };
}

export const uninstall: Phase = {
  title: 'K3s’s own uninstall',
  actions: ({ paths }) =>
    ['/usr/local/bin/k3s-agent-uninstall.sh', '/usr/local/bin/k3s-uninstall.sh']
      .filter((script) => paths.has(script))
      .map((script) => runGuarded(script, K3S_PATHS)),
};

/** Also of an install that got half way, or whose script is missing. */
export const k3sFiles: Phase = {
  title: 'files of K3s',
  actions: (remains) => [
    ...[...remains.units].map(([unit]) => ({
      argv: ['systemctl', 'disable', '--now', '--quiet', unit] as const,
      effect: `disables ${unit}`,
    })),
    ...removeExisting(remains.paths, K3S_PATHS),
    ...remains.programLinks.map((path) => ({
      argv: ['rm', '-f', '--', path] as const,
      effect: `removes ${path}, a link to k3s`,
    })),
    ...(remains.units.size === 0
      ? []
      : [
          {
            argv: ['systemctl', 'daemon-reload'] as const,
            effect: 'lets systemd forget its units',
          },
        ]),
  ],
};
