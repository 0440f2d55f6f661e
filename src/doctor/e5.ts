import { found, ok, onCluster, unknown, yours, type Problem } from './problem.ts';
import type { PodView } from './view.ts';

const DESCRIBE = yours({
  argv: ['kubectl', '-n', 'kube-system', 'describe', 'pods', '-l', 'io.cilium/app=operator'],
  effect: 'says what it waits for: an image (K1), a node that takes it, the API server (E12)',
});

const APPLY = yours(
  {
    argv: ['kubectl', '-n', 'kube-system', 'describe', 'deployment', 'cilium-operator'],
    effect: 'says whether it is to have none, or why none can be made',
  },
  {
    argv: ['ciliumship', 'deploy', '--force-conflicts'],
    effect: 'applies the chart again, with its number of replicas',
  },
);

export const e5: Problem = {
  id: 'E5',
  title: 'the operator does not run, so no pod gets an address',
  patterns: [/waiting for ipam/i, /required ipv4 pod cidr not available/i, /no ipam pool/i],
  document:
    'An operator on the worker needs the tunnel to reach the API server, and the tunnel needs the operator. Pin it to the master and set operator.hostNetwork=true.',
  known:
    'The operator is on the host’s network in every chart and talks to `k8sServiceHost`: no tunnel is involved, and hostNetwork is the default. It stays away when that address is unset without kube-proxy or cannot be reached (E12), when its image is not on the node (K1), when no node tolerates it (since 1.18 fewer taints are), or when two replicas want the same port of one node. Pinning it beside the API server is still sensible. `helm upgrade --reuse-values` without `--version`, as the document has it, moves to the newest chart.',
  recognised: 'no pod of the operator is ready',
  example: DESCRIBE,
  look: onCluster(({ pods, config }) => {
    const operators = pods.filter(({ labels }) => labels['io.cilium/app'] === 'operator');
    if (operators.length === 0) {
      return config === undefined ? ok('Cilium is not installed') : found('it has no pod', APPLY);
    }
    const ready = operators.find((pod) => pod.ready);
    if (ready !== undefined) return ok(`${ready.name} is ready on ${ready.node ?? '?'}`);
    const why = operators.flatMap((pod) => waitingOf(pod));
    if (why.length > 0) return found(why.join(', '), DESCRIBE);
    return unknown('it starts, or waits for a node; look again');
  }),
};

function waitingOf({ name, node, containers }: PodView): readonly string[] {
  const reasons = containers.flatMap(({ waiting }) => waiting ?? []);
  return node === undefined
    ? [`${name} finds no node`]
    : reasons.map((reason) => `${name} on ${node}: ${reason}`);
}
