import type { TrafficProgram } from '../facts/bpf.ts';
import { found, ok, onNodes, unknown, type Fix, type Problem } from './problem.ts';
import { BLIND, detach, ofCilium } from './traffic.ts';

function detachOlder(device: string, older: readonly TrafficProgram[]): Fix {
  return {
    consent: 'confirm',
    device,
    withoutAgent: true,
    actions: older.map((at) => detach({ pins: [] }, at)),
  };
}

const EXAMPLE = { device: 'eth0', hook: 'tcx/ingress', program: 'cil_from_netdev', link: 103 };

export const n5: Problem = {
  id: 'N5',
  title: 'a program of Cilium is at the same hook twice',
  patterns: [/duplicate.*(tcx|program)/i, /tcx.*(twice|duplicate)/i],
  known:
    'An agent that does not find its pinned link (N4) attaches a second one beside it. Packets pass through the old program first, which works with maps that nobody fills any more: connections break at random (cilium#44194). The link with the lowest id is the oldest.',
  recognised:
    '`bpftool net list` names a program of Cilium more than once at one hook of one interface',
  example: detachOlder('eth0', [EXAMPLE]),
  look: onNodes(({ traffic }) => {
    if (traffic === undefined) return unknown(BLIND);
    const older = olderTwins(ofCilium(traffic));
    const [first] = older;
    if (first === undefined) return ok('each program is there once');
    const same = older.filter(({ device }) => device === first.device);
    return found(same.map(words).join(', '), detachOlder(first.device, same));
  }),
};

/** Everything but the newest of those that are at one place under one name. */
function olderTwins(traffic: readonly TrafficProgram[]): readonly TrafficProgram[] {
  return traffic.filter(({ device, hook, program, link = 0 }) =>
    traffic.some(
      (other) =>
        other.device === device &&
        other.hook === hook &&
        other.program === program &&
        (other.link ?? 0) > link,
    ),
  );
}

function words({ device, hook, program, link }: TrafficProgram): string {
  return `${device} ${hook} ${program}: link ${link ?? '?'} beside a newer one`;
}
