import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkValues, pathsRead, type ChartKeys } from '../../../src/deploy/check-values.ts';
import { lineOf } from '../../../src/deploy/user-values.ts';
import type { Values } from '../../../src/deploy/tree.ts';

const CHART = 'lab/cilium/install/kubernetes/cilium';
const chart: ChartKeys = {
  defaults: parse(readFileSync(`${CHART}/values.yaml`, 'utf8')) as Values,
  read: pathsRead(
    globSync(`${CHART}/templates/**/*`, { withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => readFileSync(`${file.parentPath}/${file.name}`, 'utf8')),
  ),
};
const { vxlanAcceleration: _, ...stock } = chart.defaults;

function problems(values: Values, of: ChartKeys = chart): readonly string[] {
  return checkValues(values, of).map(({ path, message }) => `${path}: ${message}`);
}

describe('values', () => {
  test('of the example are right for the chart of a patched tree', () => {
    expect(problems(parse(readFileSync('values/cilium-values.yaml', 'utf8')) as Values)).toEqual(
      [],
    );
  });

  test('of the chart itself are right', () => {
    expect(problems(chart.defaults)).toEqual([]);
  });

  test.each([
    ['E4: mtu', { mtu: 1400 }, 'MTU, in capitals'],
    [
      'nodePort.acceleration',
      { nodePort: { acceleration: 'native' } },
      'loadBalancer.acceleration',
    ],
    ['bpf.legacyBPFLink', { bpf: { legacyBPFLink: true } }, 'no such key'],
    ['E17: tunnel', { tunnel: 'vxlan' }, 'routingMode'],
    ['E16: acceleration generic', { loadBalancer: { acceleration: 'generic' } }, 'best-effort'],
    ['E10: a MAC among devices', { devices: ['eth0', '0c:42:a1:00:11:22'] }, '0c:42:a1'],
    ['E11: a CIDR among devices', { devices: 'eth0,10.4.0.0/16' }, '10.4.0.0/16'],
  ])('%s is refused, once and with what to write', (_title, values, said) => {
    const found = problems(values);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(said);
  });

  test('with an unknown key are refused with the nearest one', () => {
    expect(problems({ hubble: { enbled: true } })).toEqual([
      'hubble.enbled: the chart does not know this key; did you mean hubble.enabled?',
    ]);
  });

  test('below an open block, and keys that only templates read, are the user’s own', () => {
    const own = { nodeSelector: { 'a.b/c': 'd' }, devices: ['eth0'], extraConfig: { any: '1' } };
    expect(problems(own)).toEqual([]);
  });

  test('with the patch are refused for a stock chart', () => {
    const found = problems({ vxlanAcceleration: { enabled: true } }, { ...chart, defaults: stock });
    expect(found).toEqual([
      'vxlanAcceleration: this chart does not know it: it is not the chart of a patched tree',
    ]);
  });
});

test('a problem is found on its line', () => {
  expect(
    lineOf('a: 1\nbpf:\n  masquerade: true\n  legacyBPFLink: true\n', 'bpf.legacyBPFLink'),
  ).toBe(4);
});
