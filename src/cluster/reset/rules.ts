import type { Action } from '../../core/action.ts';
import { CNI_RULES, type Way } from '../../facts/netfilter.ts';
import type { Phase } from './phase.ts';

/** Each table is written back in one moment, so no rule of others is missing in between. */
export const rules: Phase = {
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
