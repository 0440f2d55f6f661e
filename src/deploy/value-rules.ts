import type { ChartKeys, ValueProblem } from './check-values.ts';
import { textAt, textsAt, valueAt, type Values } from './tree.ts';

/** Values that no schema refuses and that are known to be wrong, each with what is right. */

type Rule = (values: Values, chart: ChartKeys) => readonly ValueProblem[];

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
const CIDR = /^[0-9a-f:.]+\/\d{1,3}$/i;

/** A key that never existed or is gone, and what to write instead. */
function gone(path: string, instead: string): Rule {
  return (values) =>
    valueAt(values, path) === undefined ? [] : [wrong(path, `is ignored by Cilium; ${instead}`)];
}

export const NAMED_RULES: readonly Rule[] = [
  gone('mtu', 'the key is MTU, in capitals (E4)'),
  gone('nodePort.acceleration', 'write loadBalancer.acceleration'),
  gone('bpf.legacyBPFLink', 'there is no such key; leave it out'),
  gone('tunnel', 'write routingMode: tunnel and tunnelProtocol: vxlan (E17)'),
  oneOf('loadBalancer.acceleration', ['disabled', 'native', 'best-effort', 'testing-only'], 'E16'),
  oneOf('routingMode', ['tunnel', 'native']),
  oneOf('tunnelProtocol', ['vxlan', 'geneve']),
  oneOf('kubeProxyReplacement', ['true', 'false']),
  oneOf('loadBalancer.mode', ['snat', 'dsr', 'hybrid']),
  devices,
  patched,
];

/** Values that the chart's schema leaves open, and that the agent refuses when it starts (E16). */
function oneOf(path: string, choices: readonly string[], error?: string): Rule {
  return (values, { defaults }) => {
    const value = valueAt(values, path);
    // What the chart has itself is no choice of the user: an empty text leaves it to the chart.
    if (value === undefined || value === null || value === valueAt(defaults, path)) return [];
    if (choices.includes(textAt(values, path))) return [];
    const known = error === undefined ? '' : ` (${error})`;
    return [wrong(path, `${JSON.stringify(value)} is none of ${choices.join(', ')}${known}`)];
  };
}

/** Cilium matches names only; a MAC or CIDR matches nothing, and then no device is left (E10, E11). */
function devices(values: Values): readonly ValueProblem[] {
  return textsAt(values, 'devices').flatMap((name) => {
    const error = MAC.test(name) ? 'E10' : CIDR.test(name) ? 'E11' : undefined;
    if (error === undefined) return [];
    const message = `"${name}" is no interface name; Cilium would attach to nothing (${error})`;
    return [wrong('devices', message)];
  });
}

/** A stock chart ignores the block silently, and the acceleration is simply not there. */
function patched(values: Values, { defaults }: ChartKeys): readonly ValueProblem[] {
  const path = 'vxlanAcceleration';
  if (values[path] === undefined || defaults[path] !== undefined) return [];
  return [wrong(path, 'this chart does not know it: it is not the chart of a patched tree')];
}

/** An error at a key. */
export function wrong(path: string, message: string): ValueProblem {
  return { severity: 'error', path, message };
}
