import type { Link } from './links.ts';
import { makerOf } from './made-links.ts';

/** By the names of their files in /etc/cni/net.d; those that Cilium put aside do not count. */
const FILES: readonly (readonly [cni: string, name: RegExp])[] = [
  ['cilium', /cilium(?!.*_bak$)/],
  ['flannel', /flannel/],
  ['antrea', /antrea/],
];

/** Something of a CNI on a node: `cilium: cilium_vxlan`. */
export interface Trace {
  readonly cni: string;
  readonly what: string;
}

/**
 * Everything of any CNI that a node shows.
 *
 * @param files names in /etc/cni/net.d
 * @param pins paths of pinned programs below /sys/fs/bpf/cilium
 */
export function tracesOf(
  links: readonly Link[],
  files: readonly string[],
  pins: readonly string[],
): readonly Trace[] {
  return [
    ...links.flatMap(({ name }) => tracedLink(name)),
    ...files
      .filter((file) => !file.endsWith('_bak'))
      .flatMap((file) => traced(FILES, file, `/etc/cni/net.d/${file}`)),
    ...pins.map((what) => ({ cni: 'cilium', what })),
  ];
}

/** The CNI whose file in /etc/cni/net.d this is, by its name; undefined for any other. */
export function cniOf(file: string): string | undefined {
  return traced(FILES, file, file)[0]?.cni;
}

/** kube-proxy is no CNI, and may be wanted beside one. */
function tracedLink(what: string): readonly Trace[] {
  const cni = makerOf(what);
  return cni === undefined || cni === 'kube-proxy' ? [] : [{ cni, what }];
}

function traced(
  known: readonly (readonly [cni: string, name: RegExp])[],
  name: string,
  what: string,
): readonly Trace[] {
  return known.flatMap(([cni, pattern]) => (pattern.test(name) ? [{ cni, what }] : []));
}
