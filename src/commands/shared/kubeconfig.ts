import { stringify } from 'yaml';
import type { Cleanup } from '../../core/cleanup.ts';
import { combineFailures, ShipError, toShipError } from '../../core/errors.ts';
import type { Node } from '../../core/node.ts';
import { parseNodeKubeconfig } from '../../facts/node-kubeconfig.ts';
import type { Session } from '../../system/ssh/session.ts';
import type { Context } from '../command.ts';
import { connectTo, type Fleet } from './fleet.ts';

export const K3S_KUBECONFIG = '/etc/rancher/k3s/k3s.yaml';

/**
 * The kubeconfig of the first server node that gives one, its address replaced by our end of a
 * tunnel. Servers that we are connected to are asked first; a server that a narrowed run left out is
 * connected to on demand.
 *
 * @param undo closes tunnel and session
 * @throws ShipError `network` naming why each server gave none
 */
export async function fetchKubeconfig(
  context: Context,
  fleet: Fleet,
  undo: Cleanup,
): Promise<string> {
  const servers = context.config.nodes.filter(({ role }) => role === 'server');
  const failures = new Map<string, ShipError>();
  for (const node of inOrder(servers, fleet)) {
    const known = fleet.failures.get(node.name);
    try {
      if (known !== undefined) throw known;
      const session = fleet.sessions.get(node.name) ?? undo.use(await connect(context, node));
      return await tunnelled(session, undo, context.signal);
    } catch (error) {
      context.signal.throwIfAborted();
      failures.set(node.name, toShipError(error));
    }
  }
  if (failures.size > 0) throw combineFailures('reading the kubeconfig of a server node', failures);
  throw new ShipError('config', 'the config has no server node', {
    hint: 'add one with role: server, or name a kubeconfig after the command: --kubeconfig FILE',
  });
}

function inOrder(servers: readonly Node[], { sessions }: Fleet): readonly Node[] {
  return servers.toSorted((a, b) => Number(sessions.has(b.name)) - Number(sessions.has(a.name)));
}

function connect(context: Context, node: Node): Promise<Session> {
  return connectTo(node, context, context.signal);
}

async function tunnelled(server: Session, undo: Cleanup, signal: AbortSignal): Promise<string> {
  const { stdout } = await server.run(['cat', K3S_KUBECONFIG], { sudo: true, signal });
  const found = parseNodeKubeconfig(stdout);
  const [first, ...others] = found?.clusters ?? [];
  if (found === undefined || first === undefined) {
    throw new ShipError('config', `${server.node}: ${K3S_KUBECONFIG} names no server`, {
      hint: 'name a kubeconfig after the command: --kubeconfig FILE',
    });
  }
  const { hostname, port } = new URL(first.cluster.server);
  // A URL writes an IPv6 address in brackets; a host to connect to has none.
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const tunnel = undo.use(await server.tunnel(host, Number(port || 443)));
  const cluster = { ...first.cluster, server: `https://127.0.0.1:${tunnel.port}` };
  const clusters = [{ ...first, cluster }, ...others];
  return stringify({ apiVersion: 'v1', kind: 'Config', ...found, clusters });
}

/** Keys, tokens and passwords of a kubeconfig. */
export function secretsOf(kubeconfig: string): readonly string[] {
  const lines = kubeconfig.matchAll(/(?:client-key-data|token|password)"?:\s*["']?([^"'\s,}]+)/g);
  return [...lines].map(([, value = '']) => value);
}
