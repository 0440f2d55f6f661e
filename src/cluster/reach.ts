import { judged, type Check } from '../core/check.ts';
import type { Node } from '../core/node.ts';
import type { Argv, Remote } from '../core/remote.ts';
import { dataAddress } from '../facts/node-facts.ts';

/** `blocked` was answered by a refusal; no answer at all says nothing about who was silent. */
type Reach = 'open' | 'blocked' | 'unknown';

/** Seconds that an answer may take. */
const PATIENCE = '2';
const API_PORT = '6443';
const VXLAN_PORT = '8472';
/** Of `timeout` when the time is over, and of a program that is not there. */
const SILENT = [124, 126, 127] as const;

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
  const ask = async (argv: Argv): Promise<Reach> => {
    const { code } = await remote.run(argv, { signal, accept: [1, 2, ...SILENT] });
    if (code === 0) return 'open';
    return SILENT.some((silent) => silent === code) ? 'unknown' : 'blocked';
  };
  const [ping, api, vxlan] = await Promise.all([
    ask(['ping', '-c', '1', '-W', PATIENCE, '-I', from.dataInterface, address]),
    to.role === 'server' ? ask(connection('tcp', address, API_PORT)) : undefined,
    ask(connection('udp', address, VXLAN_PORT)),
  ]);
  return [
    pingCheck(from, to, address, ping),
    ...(api === undefined ? [] : [apiCheck(from, to, address, api)]),
    vxlanCheck(from, to, address, vxlan === 'blocked' ? 'blocked' : 'unknown'),
  ];
}

/** bash is what every distribution has that can open a connection; the words are its operands. */
function connection(protocol: 'tcp' | 'udp', address: string, port: string): Argv {
  const open = `exec 3<>/dev/${protocol}/"$0"/"$1"`;
  // The refusal of a datagram is told to the next one.
  const script = protocol === 'tcp' ? open : `${open} && echo >&3 && sleep 0.2 && echo >&3`;
  return ['timeout', PATIENCE, 'bash', '-c', `{ ${script}; } 2>/dev/null`, address, port];
}

function pingCheck(from: Node, to: Node, address: string, reach: Reach): Check {
  return judged({
    node: from.name,
    check: `reaches ${to.name}`,
    wanted: `${address} answers on ${from.dataInterface}`,
    found: reach === 'open' ? 'answers' : 'no answer',
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
