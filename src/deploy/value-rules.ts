import type { ChartKeys, ValueProblem } from './check-values.ts';
import type { Values } from './values.ts';

/** Values that no schema refuses and that are known to be wrong, each with what is right. */

type Rule = (values: Values, chart: ChartKeys) => readonly ValueProblem[];

const ACCELERATIONS = ['disabled', 'native', 'best-effort', 'testing-only'];
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
const CIDR = /^[0-9a-f:.]+\/\d{1,3}$/i;

/** A key that never existed or is gone, and what to write instead. */
function gone(path: string, instead: string): Rule {
  return (values) =>
    valueAt(values, path) === undefined
      ? []
      : [{ path, message: `is ignored by Cilium; ${instead}` }];
}

export const NAMED_RULES: readonly Rule[] = [
  gone('mtu', 'the key is MTU, in capitals (E4)'),
  gone('nodePort.acceleration', 'write loadBalancer.acceleration'),
  gone('bpf.legacyBPFLink', 'there is no such key; leave it out'),
  gone('tunnel', 'write routingMode: tunnel and tunnelProtocol: vxlan (E17)'),
  acceleration,
  devices,
  patched,
];

function acceleration(values: Values): readonly ValueProblem[] {
  const path = 'loadBalancer.acceleration';
  const value = valueAt(values, path);
  if (value === undefined || (typeof value === 'string' && ACCELERATIONS.includes(value)))
    return [];
  return [
    { path, message: `${JSON.stringify(value)} is none of ${ACCELERATIONS.join(', ')} (E16)` },
  ];
}

/** Cilium matches names only; a MAC or CIDR matches nothing, and then no device is left (E10, E11). */
function devices(values: Values): readonly ValueProblem[] {
  return namesIn(valueAt(values, 'devices')).flatMap((name) => {
    const error = MAC.test(name) ? 'E10' : CIDR.test(name) ? 'E11' : undefined;
    if (error === undefined) return [];
    const message = `"${name}" is no interface name; Cilium would attach to nothing (${error})`;
    return [{ path: 'devices', message }];
  });
}

function namesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(/[\s,]+/);
  return Array.isArray(value) ? value.filter((name) => typeof name === 'string') : [];
}

/** A stock chart ignores the block silently, and the acceleration is simply not there. */
function patched(values: Values, { defaults }: ChartKeys): readonly ValueProblem[] {
  const path = 'vxlanAcceleration';
  if (values[path] === undefined || defaults[path] !== undefined) return [];
  return [{ path, message: 'this chart does not know it: it is not the chart of a patched tree' }];
}

function valueAt(values: Values, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (at, key) => (typeof at === 'object' && at !== null ? (at as Values)[key] : undefined),
      values,
    );
}
