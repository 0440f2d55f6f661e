import { z } from 'zod';

/**
 * Rules and chains of kube-proxy and of CNIs, in what `iptables-save` prints: by the chains that they
 * are in or lead to, and by the comments that their makers put on them. POSIX extended, for grep too.
 */
export const CNI_RULES =
  '^:(KUBE-|CNI-|CILIUM_|OLD_CILIUM_|FLANNEL-|ANTREA-)|-[AjgN] (KUBE-|CNI-|CILIUM_|OLD_CILIUM_|FLANNEL-|ANTREA-)|--comment "?(flanneld|cilium|Antrea)';

/** How many of them there are. */
export function parseNetfilter(text: string): number {
  const pattern = new RegExp(CNI_RULES);
  return text.split('\n').filter((line) => pattern.test(line)).length;
}

export const FAMILIES = ['-4', '-6'] as const;
export type Family = (typeof FAMILIES)[number];

/** Tables that Cilium leads the traffic of its proxy through. */
export const CILIUM_TABLES = ['2004', '2005'] as const;

/** Something of Cilium in the routing of a node. */
export type Way = { readonly family: Family } & (
  | { readonly what: 'rule'; readonly priority: number; readonly table: string }
  /** A table that holds routes. */
  | { readonly what: 'table'; readonly table: string }
  /** It moves the rule of the table `local` from 0 to 100, so that its own come first. */
  | { readonly what: 'local' }
);

const MOVED = 100;
const schema = z.array(
  z.object({ priority: z.coerce.number(), table: z.coerce.string().default('') }),
);

/**
 * @param rules what `ip -j rule show` printed
 * @param tables what `ip -j route show table` printed for each of `CILIUM_TABLES`
 */
export function parseWays(
  family: Family,
  rules: string,
  tables: readonly string[],
): readonly Way[] {
  const found = readRules(rules);
  const own: readonly string[] = CILIUM_TABLES;
  return [
    ...found.flatMap(({ priority, table }): readonly Way[] =>
      own.includes(table) ? [{ family, what: 'rule', priority, table }] : [],
    ),
    ...CILIUM_TABLES.flatMap((table, index): readonly Way[] =>
      tables[index]?.includes('"dst"') === true ? [{ family, what: 'table', table }] : [],
    ),
    ...found.flatMap(({ priority, table }): readonly Way[] =>
      priority === MOVED && table === 'local' ? [{ family, what: 'local' }] : [],
    ),
  ];
}

function readRules(text: string): z.output<typeof schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return [];
  }
}
