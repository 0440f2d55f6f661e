import { judged, type Check } from '../core/check.ts';
import type { Node } from '../core/node.ts';
import type { Remote } from '../core/remote.ts';
import { dataAddress } from '../facts/node-facts.ts';
import { readNeighbour, reachByPing, reachPort, type Reach } from '../facts/reach.ts';

const API_PORT = '6443';
const VXLAN_PORT = '8472';

/**
 * How one node reaches another on the data network: by ping from the right interface, the API
 * server's port on servers, and VXLAN's. UDP has no handshake, so VXLAN is blocked or unknown.
 */
export async function checkReach(
  from: Node,
  to: Node,
  remote: Remote,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const address = dataAddress(to);
  if (address === undefined || from.dataInterface === undefined) return [];
  const [ping, api, vxlan] = await Promise.all([
    reachByPing(remote, from.dataInterface, address, signal),
    to.role === 'server' ? reachPort(remote, 'tcp', address, API_PORT, signal) : undefined,
    reachPort(remote, 'udp', address, VXLAN_PORT, signal),
  ]);
  const own = from.dataInterface;
  const neighbour = ping === 'open' ? undefined : await readNeighbour(remote, own, address, signal);
  return [
    pingCheck(from, to, address, { ping, neighbour }),
    ...(api === undefined ? [] : [apiCheck(from, to, address, api)]),
    vxlanCheck(from, to, address, vxlan === 'blocked' ? 'blocked' : 'unknown'),
  ];
}

function pingCheck(
  from: Node,
  to: Node,
  address: string,
  { ping: reach, neighbour }: { readonly ping: Reach; readonly neighbour: string | undefined },
): Check {
  return judged({
    node: from.name,
    check: `reaches ${to.name}`,
    wanted: `${address} answers on ${from.dataInterface}`,
    found: reach === 'open' ? 'answers' : `no answer, neighbour ${neighbour ?? 'unknown'}`,
    ok: reach === 'open',
    remedy: `look at cable, addresses and routes: ip route get ${address} (on ${from.name})`,
  });
}

function apiCheck(from: Node, to: Node, address: string, reach: Reach): Check {
  const base = { node: from.name, check: `API server of ${to.name}`, wanted: 'open', found: reach };
  if (reach === 'unknown') return { ...base, state: 'unknown' };
  const remedy = `start K3s on ${to.name}, or let ${address}:${API_PORT} through its firewall`;
  return judged({ ...base, ok: reach === 'open', remedy });
}

/** Before a CNI runs the port is closed, and the answer shows that datagrams get through. */
function vxlanCheck(from: Node, to: Node, address: string, reach: Reach): Check {
  return {
    node: from.name,
    check: `VXLAN to ${to.name}`,
    state: reach === 'blocked' ? 'ok' : 'unknown',
    wanted: `${address}:${VXLAN_PORT} is reached`,
    found: reach === 'blocked' ? 'reached, nobody listens yet' : 'no answer',
  };
}
