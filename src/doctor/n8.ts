import { found, ok, onNodes, unknown, yours, type Problem } from './problem.ts';

const DAY = 86_400_000;
/** Days; K3s renews at a restart what has fewer than 90 left, and says nothing before. */
const SOON = 30;

function restart(node: string, role: 'server' | 'agent') {
  const unit = role === 'server' ? 'k3s' : 'k3s-agent';
  return yours({
    argv: ['ssh', node, 'sudo', 'systemctl', 'restart', unit],
    effect: 'K3s renews its certificates when it starts; pods go on meanwhile',
  });
}

export const n8: Problem = {
  id: 'N8',
  title: 'a certificate of K3s is about to expire',
  patterns: [
    /certificate has expired or is not yet valid/i,
    /x509:.*expired/i,
    /certificates? will expire/i,
  ],
  known:
    'K3s’s certificates hold for a year and are renewed only when K3s starts with fewer than 90 days left. On a node that runs for a year without a restart they end: the kubelet can no longer report, and kubectl is refused. A clock that is wrong looks the same (N9).',
  recognised: 'a certificate below /var/lib/rancher/k3s has fewer than 30 days left',
  example: restart('master', 'server'),
  look: onNodes(({ certificates: [first], node }, { now }) => {
    if (first === undefined) return unknown('K3s has no certificates here');
    const days = Math.floor((first.expires.getTime() - now.getTime()) / DAY);
    const proof = `${first.subject} ${days < 0 ? `expired ${-days} days ago` : `has ${days} days`}`;
    return days >= SOON ? ok(proof) : found(proof, restart(node.name, node.role));
  }),
};
