import { z } from 'zod';
import { ShipError } from '../core/errors.ts';

export type XdpMode = 'native' | 'generic' | 'offload';

/** An interface, as `ip -j -d link` and `ip -j -d addr` print it. */
export interface Link {
  readonly name: string;
  readonly mtu: number;
  readonly up: boolean;
  /** False for a port without a cable, or whose other end is down. */
  readonly carrier: boolean;
  /** `veth`, `vxlan`, `bridge` …; undefined for hardware. */
  readonly kind: string | undefined;
  readonly queues: number;
  /** `10.4.100.1/16`; none when the links were asked for alone. */
  readonly addresses: readonly string[];
  /** What it stands on: the card of a VLAN or a tunnel; undefined for a pair of virtual cables. */
  readonly parent: string | undefined;
  /** The bond or bridge that it is a port of. */
  readonly master: string | undefined;
  /** XDP program on it; undefined when there is none. */
  readonly xdp: { readonly mode: XdpMode; readonly program: string } | undefined;
}

/** IFLA_XDP_ATTACHED: the kind of attachment, as the kernel numbers it. */
const MODES: readonly (XdpMode | undefined)[] = [undefined, 'native', 'generic', 'offload'];

const links = z.array(
  z.object({
    ifname: z.string().optional(),
    mtu: z.int().default(0),
    flags: z.array(z.string()).default([]),
    num_rx_queues: z.int().default(1),
    link: z.string().optional(),
    master: z.string().optional(),
    linkinfo: z
      .object({
        info_kind: z.string().optional(),
        info_data: z.object({ link: z.string().optional() }).optional(),
      })
      .optional(),
    addr_info: z
      .array(z.object({ local: z.string().optional(), prefixlen: z.int().optional() }))
      .default([]),
    xdp: z
      .object({ mode: z.int(), prog: z.object({ name: z.string().default('') }).optional() })
      .optional(),
  }),
);

/**
 * Reads `ip -j -d link` or `ip -j -d addr`.
 *
 * @throws ShipError `storage` when it is not what iproute2 prints
 */
export function parseLinks(text: string): readonly Link[] {
  return readLinks(text).flatMap((link) => {
    const { ifname: name, mtu, xdp, flags } = link;
    // iproute2 prints an empty object for an interface that went away meanwhile.
    if (name === undefined) return [];
    const mode = MODES[xdp?.mode ?? 0];
    return {
      name,
      mtu,
      up: flags.includes('UP'),
      carrier: flags.includes('LOWER_UP'),
      kind: link.linkinfo?.info_kind,
      queues: link.num_rx_queues,
      addresses: link.addr_info.flatMap(({ local, prefixlen }) =>
        local === undefined ? [] : [`${local}/${prefixlen ?? 32}`],
      ),
      parent: parentOf(link),
      master: link.master,
      xdp: mode === undefined ? undefined : { mode, program: xdp?.prog?.name ?? '' },
    };
  });
}

/** A veth names its other end there, which it does not stand on; a VXLAN says it among its own data. */
function parentOf({ link, linkinfo }: z.output<typeof links>[number]): string | undefined {
  return linkinfo?.info_kind === 'veth' ? undefined : (link ?? linkinfo?.info_data?.link);
}

function readLinks(text: string): z.output<typeof links> {
  try {
    return links.parse(JSON.parse(text));
  } catch (cause) {
    throw new ShipError('storage', 'ip -j link printed something else than expected', { cause });
  }
}
