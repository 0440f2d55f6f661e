import { judged, unknown, type Check } from '../core/check.ts';
import type { Node } from '../core/node.ts';
import type { Remote } from '../core/remote.ts';
import { dataAddress } from '../facts/node-facts.ts';
import { readNeighbour, reachByPing, reachPort, type Reach } from '../facts/reach.ts';

const API_PORT = '6443';
const VXLAN_PORT = '8472';

/**
 * How one node reaches another on the data network: by ping from the right interface, the API
 * server's port on servers, and VXLAN's, of which only a refusal shows that datagrams get there.
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
  const neighbour = ping === true ? undefined : await readNeighbour(remote, own, address, signal);
  return [
    pingCheck(from, to, address, { ping, neighbour }),
    ...(api === undefined ? [] : [apiCheck(from, to, address, api)]),
    vxlanCheck(from, to, address, vxlan),
  ];
}

function pingCheck(
  from: Node,
  to: Node,
  address: string,
  {
    ping,
    neighbour,
  }: { readonly ping: boolean | undefined; readonly neighbour: string | undefined },
): Check {
  const base = {
    node: from.name,
    check: `reaches ${to.name}`,
    wanted: `${address} answers on ${from.dataInterface}`,
  };
  if (ping === undefined) {
    return unknown({
      ...base,
      found: `not tried: no ping there, neighbour ${neighbour ?? 'unknown'}`,
    });
  }
  return judged({
    ...base,
    found: ping ? 'answers' : `no answer, neighbour ${neighbour ?? 'unknown'}`,
    ok: ping,
    remedy: `look at cable, addresses and routes: ip route get ${address} (on ${from.name})`,
  });
}

const REFUSED = 'refused: nobody listens, or a firewall rejects';
const FOUND: Readonly<Record<Reach, string>> = {
  open: 'open',
  refused: `blocked, ${REFUSED}`,
  unreachable: 'blocked, no way there',
  unknown: 'no answer',
};

function apiCheck(from: Node, to: Node, address: string, reach: Reach): Check {
  const check = `API server of ${to.name}`;
  const base = { node: from.name, check, wanted: 'open', found: FOUND[reach] };
  if (reach === 'unknown') return unknown(base);
  const remedy = `start K3s on ${to.name}, or let ${address}:${API_PORT} through its firewall`;
  return judged({ ...base, ok: reach === 'open', remedy });
}

/** Before a CNI runs the port is closed, and the refusal shows that datagrams get there. */
function vxlanCheck(from: Node, to: Node, address: string, reach: Reach): Check {
  const base = {
    node: from.name,
    check: `VXLAN to ${to.name}`,
    wanted: `${address}:${VXLAN_PORT} is reached`,
  };
  if (reach === 'refused') return { ...base, state: 'ok', found: REFUSED };
  return unknown({ ...base, found: reach === 'unreachable' ? 'no way there' : 'no answer' });
}
