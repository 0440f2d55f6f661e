import { judged, unknown, type Check } from '../core/check.ts';
import type { TrafficProgram } from '../facts/bpf.ts';
import type { Link } from '../facts/links.ts';
import { makerOf } from '../facts/made-links.ts';
import type { RouteMtu } from '../facts/routes.ts';
import type { Wanted } from './wanted.ts';

/** What the kernel of a node shows. */
export interface DataPath {
  readonly node: string;
  readonly links: readonly Link[];
  /** Undefined when they could not be read. */
  readonly routes: readonly RouteMtu[] | undefined;
  /** Undefined when bpftool is missing, or too old for what is there. */
  readonly traffic: readonly TrafficProgram[] | undefined;
}

const isOwn = (name: string): boolean => name.startsWith('cil_') || makerOf(name) === 'cilium';

/** Programs, their hooks and the sizes of packets, as the kernel has them. */
export function checkDataPath(wanted: Wanted, found: DataPath): readonly Check[] {
  const { node, links } = found;
  return [
    ...(wanted.accelerated && wanted.devices.length === 0 ? [unnamedDevice(node)] : []),
    ...wanted.devices.map((device) => checkXdp(node, device, links)),
    ...(wanted.mtu === undefined ? [] : checkMtus(found, wanted.mtu, wanted.tunnel)),
    checkHooks(found),
  ];
}

/** Cilium chose the interface itself, so nobody says which one to look at. */
function unnamedDevice(node: string): Check {
  return unknown({
    node,
    id: 'xdp-mode',
    check: 'XDP',
    wanted: 'native',
    found: 'no interface is named',
    remedy: `name it: nodes.${node}.dataInterface or devices in the config`,
  });
}

/** `mode` in the link's own data: the agent's status only says what was configured (upstream §5). */
function checkXdp(node: string, device: string, links: readonly Link[]): Check {
  const link = links.find(({ name }) => name === device);
  const { mode, program } = link?.xdp ?? {};
  const none = link === undefined ? 'no such interface' : 'no XDP program';
  return judged({
    node,
    id: 'xdp-mode',
    check: `XDP on ${device}`,
    wanted: 'native',
    found: mode === undefined ? none : `${mode} (${program})`,
    ok: mode === 'native',
    remedy: `set devices of ${node} in the config to an interface whose driver has native XDP, then: ciliumship deploy`,
  });
}

function checkMtus(found: DataPath, mtu: number, tunnel: string | undefined): readonly Check[] {
  const ofTunnel = tunnel === undefined ? [] : [checkTunnel(found, mtu, tunnel)];
  return [...ofTunnel, checkRoutes(found, mtu)];
}

/** `cilium_vxlan` has the check `vxlan-mtu`, `cilium_geneve` that of its own. */
function checkTunnel({ node, links }: DataPath, mtu: number, tunnel: string): Check {
  const link = links.find(({ name }) => name === tunnel);
  return judged({
    node,
    id: `${tunnel.replace('cilium_', '')}-mtu`,
    check: `MTU of ${tunnel}`,
    wanted: String(mtu),
    found: link === undefined ? 'no such interface' : String(link.mtu),
    ok: link?.mtu === mtu,
    remedy: `the agent makes it and sets its MTU when it starts; what is wrong: ciliumship doctor --nodes ${node}`,
  });
}

/** Cilium sets routes to the MTU less the header of the tunnel: larger ones cut packets (E3). */
function checkRoutes({ node, routes }: DataPath, mtu: number): Check {
  const about = { node, id: 'route-mtu', check: 'MTU of pod routes', wanted: `${mtu} or less` };
  if (routes === undefined) return unknown({ ...about, found: 'the routes could not be read' });
  const own = routes.filter(({ device }) => isOwn(device));
  const large = own.filter((route) => route.mtu > mtu);
  const shown = (large.length > 0 ? large : own).map(({ to, mtu: is }) => `${is} to ${to}`);
  return judged({
    ...about,
    found: shown.slice(0, 3).join(', ') || 'that of the device',
    ok: large.length === 0,
    remedy: 'restart the agent there, so that it sets its routes anew: ciliumship deploy',
  });
}

/** Two programs of one name at one hook: packets pass through the older one first (N5). */
function checkHooks({ node, traffic }: DataPath): Check {
  const about = { node, id: 'hooks', check: 'one program at each hook', wanted: 'none twice' };
  if (traffic === undefined) {
    const remedy = 'install bpftool 7.3 or newer on the node';
    return unknown({ ...about, found: 'bpftool does not say', remedy });
  }
  const places = traffic
    .filter(({ program }) => program.startsWith('cil_'))
    .map(({ device, hook, program }) => `${program} at ${hook} of ${device}`);
  const twice = [...new Set(places.filter((place, index) => places.indexOf(place) !== index))];
  return judged({
    ...about,
    found: twice.length === 0 ? 'none twice' : twice.join(', '),
    ok: twice.length === 0,
    remedy: `ciliumship doctor --fix N5 --nodes ${node}`,
  });
}
