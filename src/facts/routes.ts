import { z } from 'zod';
import { readJson } from '../core/json.ts';

/** A route of a node that says how large packets on it may be. */
export interface RouteMtu {
  readonly to: string;
  readonly device: string;
  readonly mtu: number;
}

const routes = z.array(
  z.object({
    dst: z.string().default(''),
    dev: z.string().default(''),
    metrics: z.array(z.object({ mtu: z.int().optional() })).default([]),
  }),
);

/**
 * The routes with an MTU of their own among what `ip -j route show table all` prints.
 *
 * @returns undefined when it is not what iproute2 prints
 */
export function parseRouteMtus(text: string): readonly RouteMtu[] | undefined {
  return readJson(routes, text)?.flatMap(({ dst, dev, metrics }) =>
    metrics.flatMap(({ mtu }) => (mtu === undefined ? [] : [{ to: dst, device: dev, mtu }])),
  );
}
