import { z } from 'zod';
import { ShipError } from '../core/errors.ts';

export type XdpMode = 'native' | 'generic' | 'offload';

/** An interface, as `ip -j -d link` prints it. */
export interface Link {
  readonly name: string;
  readonly mtu: number;
  /** XDP program on it; undefined when there is none. */
  readonly xdp: { readonly mode: XdpMode; readonly program: string } | undefined;
}

/** IFLA_XDP_ATTACHED: the kind of attachment, as the kernel numbers it. */
const MODES: readonly (XdpMode | undefined)[] = [undefined, 'native', 'generic', 'offload'];

const links = z.array(
  z.object({
    ifname: z.string().optional(),
    mtu: z.int().default(0),
    xdp: z
      .object({ mode: z.int(), prog: z.object({ name: z.string().default('') }).optional() })
      .optional(),
  }),
);

/**
 * Reads `ip -j -d link`.
 *
 * @throws ShipError `storage` when it is not what iproute2 prints
 */
export function parseLinks(text: string): readonly Link[] {
  return readLinks(text).flatMap(({ ifname, mtu, xdp }) => {
    if (ifname === undefined) return [];
    const mode = MODES[xdp?.mode ?? 0];
    const attached = mode === undefined ? undefined : { mode, program: xdp?.prog?.name ?? '' };
    return [{ name: ifname, mtu, xdp: attached }];
  });
}

function readLinks(text: string): z.output<typeof links> {
  try {
    return links.parse(JSON.parse(text));
  } catch (cause) {
    throw new ShipError('storage', 'ip -j link printed something else than expected', { cause });
  }
}
