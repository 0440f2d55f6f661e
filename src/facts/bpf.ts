import { z } from 'zod';
import type { Argv } from '../core/remote.ts';
import { readJson } from '../core/json.ts';

/** A program that Cilium pinned to an interface, by the path of its link. */
export interface Pin {
  readonly device: string;
  /** `cil_xdp_entry`, `cil_from_netdev`, `cil_to_netdev`. */
  readonly program: string;
  readonly path: string;
}

/** The folder of a pin writes `-` for the `.` of a VLAN. */
export function isPinOf(pin: Pin, device: string): boolean {
  return pin.device === device.replaceAll('.', '-');
}

const PIN = /^\/sys\/fs\/bpf\/cilium\/devices\/([^/]+)\/links\/([^/]+)$/;

/** Pins among the paths that `find /sys/fs/bpf/cilium` prints. */
export function parsePins(text: string): readonly Pin[] {
  return text.split('\n').flatMap((path) => {
    const [, device, program] = PIN.exec(path) ?? [];
    return device === undefined || program === undefined ? [] : [{ device, program, path }];
  });
}

/** A program at the traffic control hook of an interface. */
export interface TrafficProgram {
  readonly device: string;
  /** `tcx/ingress`, `clsact/egress`, … */
  readonly hook: string;
  readonly program: string;
  /** Id of the link that holds it; undefined when it was attached without one. */
  readonly link: number | undefined;
}

/** The priority and handle that Cilium gives its filters: others of that hook stay. */
const FILTER = ['protocol', 'all', 'pref', '1', 'handle', '1', 'bpf'] as const;

/** Takes a program off a hook: by the id of its link, or the filter that was made without one. */
export function detachArgv({ device, hook, link }: TrafficProgram): Argv {
  if (link !== undefined) return ['bpftool', 'link', 'detach', 'id', String(link)];
  const direction = hook.endsWith('egress') ? 'egress' : 'ingress';
  return ['tc', 'filter', 'del', 'dev', device, direction, ...FILTER];
}

const nets = z.array(
  z.object({
    tc: z
      .array(
        z.object({
          devname: z.string(),
          kind: z.string(),
          name: z.string().default(''),
          link_id: z.int().optional(),
        }),
      )
      .default([]),
  }),
);
const links = z.array(z.object({ type: z.union([z.string(), z.int()]) }));

/** BPF_LINK_TYPE_TCX; bpftool before 7.3 has no name for it and does not list what it holds. */
const NAMELESS_TCX = 11;

/**
 * Programs at the traffic control hooks.
 *
 * @param net what `bpftool -j net list` printed
 * @param link what `bpftool -j link show` printed
 * @returns undefined when bpftool is missing, or too old to see TCX links that are there
 */
export function parseTraffic(net: string, link: string): readonly TrafficProgram[] | undefined {
  const found = readJson(nets, net);
  const held = readJson(links, link);
  if (found === undefined || held === undefined) return undefined;
  if (held.some(({ type }) => type === NAMELESS_TCX)) return undefined;
  return found.flatMap(({ tc }) =>
    tc.map(({ devname, kind, name, link_id }) => ({
      device: devname,
      hook: kind,
      program: name,
      link: link_id,
    })),
  );
}
