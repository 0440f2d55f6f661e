import { z } from 'zod';
import { readJson } from '../core/json.ts';

/** What one agent found when it asked another node. */
export interface Reached {
  readonly node: string;
  /** Why it could not be reached; empty when it could. */
  readonly failure: string;
}

const path = z.object({ http: z.object({ status: z.string().default('') }).optional() });
const report = z.object({
  local: z.object({ name: z.string() }).optional(),
  nodes: z
    .array(
      z.object({
        name: z.string(),
        host: z.object({ 'primary-address': path.optional() }).optional(),
      }),
    )
    .nullish(),
});

/**
 * Reads `cilium-health status -o json`: the other nodes, by the path to their host.
 *
 * @returns undefined when the text is no such report
 */
export function parseHealth(text: string): readonly Reached[] | undefined {
  const parsed = readJson(report, text);
  return parsed?.nodes
    ?.filter(({ name }) => name !== parsed.local?.name)
    .map(({ name, host }) => {
      const http = host?.['primary-address']?.http;
      return { node: plain(name), failure: http === undefined ? 'not asked' : http.status };
    });
}

/** Cilium writes `CLUSTER/NODE` when its cluster has a name. */
function plain(name: string): string {
  return name.split('/').at(-1) ?? name;
}
