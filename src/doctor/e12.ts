import { found, ok, onSettings, type Problem } from './problem.ts';
import { setAndDeploy } from './settings.ts';

/** Port of the load balancer that every K3s node runs for itself. */
const K3S_LOCAL = '6444';

export const e12: Problem = {
  id: 'E12',
  title: 'agents are told an API server that a node cannot reach',
  patterns: [
    /dial tcp 127\.0\.0\.1:6443: connect: connection refused/i,
    /unable to contact k8s api-server/i,
    /k8sServiceHost/i,
  ],
  document:
    'The default `k8sServiceHost=127.0.0.1` works on the master only. Set the master’s address on the data network.',
  known:
    'The default is empty, not 127.0.0.1. On loopback port 6443 is there on servers only; but K3s runs a load balancer to its servers on 127.0.0.1:6444 of every node, so `127.0.0.1` with `6444` works everywhere and hangs on no single address. The master’s own address works when it is among the names of the API server’s certificate (`--tls-san`; node-ip is) and the data link is up.',
  recognised:
    'k8sServiceHost is a loopback address and k8sServicePort is not 6444, with an agent node',
  example: setAndDeploy('k8sServicePort', K3S_LOCAL),
  look: onSettings((view) => {
    const host = view.value?.('k8sServiceHost') ?? '';
    const port = view.value?.('k8sServicePort') || '6443';
    if (!/^(127\.|::1$|localhost$)/.test(host)) return ok(`k8sServiceHost: ${host || '(not set)'}`);
    if (port === K3S_LOCAL) return ok(`${host}:${port} is on every node of K3s`);
    const alone = view.nodes.filter(({ node }) => node.role === 'agent');
    if (alone.length === 0) return ok('every node that was looked at is a server');
    const names = alone.map(({ node }) => node.name).join(', ');
    return found(
      `${host}:${port} leads nowhere on ${names}`,
      setAndDeploy('k8sServicePort', K3S_LOCAL),
    );
  }),
};
