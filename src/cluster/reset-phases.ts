import type { Action } from '../core/action.ts';
import { detachArgv, type Pin, type TrafficProgram } from '../facts/bpf.ts';
import { isBelow } from '../facts/mounts.ts';
import { CNI_RULES, type Way } from '../facts/netfilter.ts';
import { SURVIVING, type Remains } from '../facts/remains.ts';
import { BPF_PATHS, CNI_PATHS, K3S_PATHS, OWN_MOUNTS } from '../facts/remains-paths.ts';
import { removePaths, runGuarded } from './remove.ts';

/** One part of a reset: what it does, by what is there. Nothing is left when it gives no action. */
export interface Phase {
  readonly title: string;
  readonly actions: (remains: Remains) => readonly Action[];
}

/** Units that systemd would start again are stopped first, or they bring everything back. */
const units: Phase = {
  title: 'K3s',
  actions: (remains) =>
    [...remains.units]
      .filter(([, state]) => !['inactive', 'failed', 'unknown'].includes(state))
      .map(([unit]) => ({ argv: ['systemctl', 'stop', unit], effect: `stops ${unit}` })),
};

/** Politely at first: agents let go of what they hold. */
const END = `pids() { for dir in /proc/[0-9]*; do grep -qE "$0" "$dir/cgroup" 2>/dev/null && echo "\${dir#/proc/}"; done; }; for signal in TERM KILL; do kill -s $signal $(pids) 2>/dev/null; i=0; while [ -n "$(pids)" ] && [ $i -lt 25 ]; do sleep 0.2; i=$((i + 1)); done; done; [ -z "$(pids)" ]`;

/** Containers outlive K3s: its units end only their first process. */
const survivors: Phase = {
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

const mounts: Phase = {
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

/** Below a second mount of the bpffs lie the pins that hold programs. */
const shadows: Phase = {
  title: 'second bpffs',
  actions: ({ bpfMounts }) =>
    Array.from({ length: Math.max(0, bpfMounts - 1) }, () => ({
      argv: ['umount', '/sys/fs/bpf'] as const,
      effect: 'unmounts a bpffs that hides the first',
    })),
};

/**
 * A pin names its link by interface, type and program, so it is detached by that and never by an id
 * that was read before. Without bpftool the pin goes, which detaches what no process holds.
 */
const programs: Phase = {
  title: 'BPF programs',
  actions: (remains) => [
    ...remains.pins.flatMap((pin) => unpin(pin, remains.bpftool)),
    ...loose(remains).map(detach),
    ...switchedOn(remains),
  ],
};

function unpin({ device, program, path }: Pin, bpftool: boolean): readonly Action[] {
  const off = { argv: ['bpftool', 'link', 'detach', 'pinned', path] as const };
  const effect = `takes ${program} off ${device}`;
  const remove = { argv: ['rm', '-f', '--', path] as const, effect: `removes its pin` };
  return bpftool ? [{ ...off, effect }, remove] : [{ ...remove, effect }];
}

/** Programs at the traffic control hooks that no pin holds. */
function loose({ traffic, pins, links }: Remains): readonly TrafficProgram[] {
  const real = new Set(links.filter(({ name }) => !isMade(name)).map(({ name }) => name));
  return (traffic ?? []).filter(
    (at) =>
      at.program.startsWith('cil_') &&
      real.has(at.device) &&
      !pins.some((pin) => isOf(pin, at.device) && pin.program === at.program),
  );
}

/** The folder of a pin writes `-` for the `.` of a VLAN. */
export function isOf(pin: Pin, device: string): boolean {
  return pin.device === device.replaceAll('.', '-');
}

function detach(at: TrafficProgram): Action {
  return { argv: detachArgv(at), effect: `takes ${at.program} off ${at.hook} of ${at.device}` };
}

function switchedOn({ links, pins }: Remains): readonly Action[] {
  return links
    .filter(({ name, xdp }) => xdp?.program.startsWith('cil_') === true && !isMade(name))
    .filter(({ name }) => !pins.some((pin) => isOf(pin, name) && pin.program.includes('xdp')))
    .map(({ name }) => ({
      argv: ['ip', 'link', 'set', 'dev', name, 'xdp', 'off'],
      effect: `takes the XDP program off ${name}`,
    }));
}

/** Before K3s's own script: with Cilium's interfaces there, that one may cut the node off. */
const interfaces: Phase = {
  title: 'interfaces',
  actions: (remains) =>
    madeLinks(remains).map((name) => ({
      argv: ['ip', 'link', 'delete', 'dev', name],
      effect: `removes the interface ${name}`,
    })),
};

const MADE =
  /^(cilium_(host|net|vxlan|geneve|wg\d+|ipip\d|tunl\d?|ip6tnl)|lxc([0-9a-f]{4,12}|_health)|flannel[.-].*|cni0|kube-ipvs0|antrea-.*|genev_sys_\d+)$/;

/** Whether a CNI or kube-proxy made an interface of this name; lxcbr0 of LXC is another's. */
export function isMade(name: string): boolean {
  return MADE.test(name);
}

/** Interfaces that go. */
export function madeLinks({ links }: Remains): readonly string[] {
  return links.map(({ name }) => name).filter(isMade);
}

const uninstall: Phase = {
  title: 'K3s’s own uninstall',
  actions: ({ paths }) =>
    ['/usr/local/bin/k3s-agent-uninstall.sh', '/usr/local/bin/k3s-uninstall.sh']
      .filter((script) => paths.has(script))
      .map((script) => runGuarded(script, K3S_PATHS)),
};

/** Also of an install that got half way, or whose script is missing. */
const k3sFiles: Phase = {
  title: 'files of K3s',
  actions: (remains) => [
    ...[...remains.units].map(([unit]) => ({
      argv: ['systemctl', 'disable', '--now', '--quiet', unit] as const,
      effect: `disables ${unit}`,
    })),
    ...existing(remains, K3S_PATHS),
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

const cniFiles: Phase = {
  title: 'files of CNIs',
  actions: (remains) => [
    ...remains.cniFiles.flatMap(configuration),
    ...existing(remains, [...CNI_PATHS, ...BPF_PATHS]),
    ...remains.maps.map((path) => ({
      argv: ['rm', '-f', '--', path] as const,
      effect: 'removes a map of Cilium',
    })),
  ],
};

function existing({ paths }: Remains, known: readonly string[]): readonly Action[] {
  return removePaths(known.filter((path) => paths.has(path)));
}

const KNOWN_CNI = /cilium|flannel|antrea|k3s/;
const ASIDE = /\.cilium_bak$/;

/** Whether a file in /etc/cni/net.d is of a CNI that ciliumship knows. */
export function isCniFile(name: string): boolean {
  return KNOWN_CNI.test(name.replace(ASIDE, ''));
}

/** What Cilium put aside and is of no CNI that goes is given its name back. */
function configuration(name: string): readonly Action[] {
  const path = `/etc/cni/net.d/${name}`;
  const own = name.replace(ASIDE, '');
  if (isCniFile(name)) return [{ argv: ['rm', '-f', '--', path], effect: `removes ${path}` }];
  if (own === name) return [];
  const back = `/etc/cni/net.d/${own}`;
  return [{ argv: ['mv', '-f', '--', path, back], effect: `gives ${own} its name back` }];
}

/** Each table is written back in one moment, so no rule of others is missing in between. */
const rules: Phase = {
  title: 'rules and routes',
  actions: (remains) => [
    ...[...remains.rules].map(([program, count]) => ({
      argv: [
        ...(['sh', '-c', '"$0-save" | grep -vE -- "$1" | "$0-restore"'] as const),
        ...[program, CNI_RULES],
      ] as const,
      effect: `removes ${count} rules and chains of CNIs and kube-proxy (${program})`,
    })),
    ...remains.routing.map(way),
  ],
};

/** Without any rule of the table `local` a node answers to nobody: the other one goes only then. */
const LOCAL =
  'ip "$0" rule add priority 0 table local 2>/dev/null; ip "$0" rule show priority 0 | grep -q local && ip "$0" rule del priority 100 table local';

function way(at: Way): Action {
  if (at.what === 'local') {
    return { argv: ['sh', '-c', LOCAL, at.family], effect: 'moves the rule of local back to 0' };
  }
  if (at.what === 'table') {
    const { family, table } = at;
    return {
      argv: ['ip', family, 'route', 'flush', 'table', table],
      effect: `empties table ${table}`,
    };
  }
  const { family, priority, table } = at;
  const which = ['priority', String(priority), 'table', table];
  return {
    argv: ['ip', family, 'rule', 'del', ...which],
    effect: `removes a rule to table ${table}`,
  };
}

/** Everything of K3s and of CNIs, in the order in which nothing comes back and nobody is cut off. */
export const RESET: readonly Phase[] = [
  units,
  survivors,
  mounts,
  shadows,
  programs,
  interfaces,
  uninstall,
  k3sFiles,
  cniFiles,
  rules,
];

/** K3s alone, on a node that no CNI is on. */
export const UNINSTALL: readonly Phase[] = [units, survivors, mounts, uninstall, k3sFiles];

/** CNIs alone, with K3s left as it is. */
export const CNI: readonly Phase[] = [shadows, programs, interfaces, cniFiles, rules];
