import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkValues, pathsRead, type ChartKeys } from '../../../src/deploy/check-values.ts';
import { readUserValues } from '../../../src/deploy/user-values.ts';
import type { Values } from '../../../src/deploy/tree.ts';

const CHART = 'lab/cilium/install/kubernetes/cilium';
const chart: ChartKeys = {
  defaults: parse(readFileSync(`${CHART}/values.yaml`, 'utf8')) as Values,
  read: pathsRead(
    globSync(`${CHART}/templates/**/*`, { withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => readFileSync(`${file.parentPath}/${file.name}`, 'utf8')),
  ),
  schema: JSON.parse(readFileSync(`${CHART}/values.schema.json`, 'utf8')) as unknown,
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

  test.each<readonly [string, Values, string]>([
    [
      'a word for a number',
      { MTU: 'big' },
      'MTU: "big" is refused by the schema of the chart: it takes',
    ],
    [
      'what is none of several types',
      { bpf: { masquerade: 'yes' } },
      'bpf.masquerade: "yes" is refused by the schema of the chart: it takes boolean or null',
    ],
    [
      'what a definition refuses',
      { image: { useDigest: 'no' } },
      'image.useDigest: "no" is refused by the schema of the chart: it takes boolean',
    ],
  ])('F37: %s is refused by the chart’s own schema, with its path', (_title, values, said) => {
    const found = problems(values);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(said);
  });

  test('of null take a key out, and a schema that nobody understands refuses nothing', () => {
    expect(problems({ MTU: null })).toEqual([]);
    for (const schema of [undefined, 'text', { type: 'nonsense' }, { $ref: '#/nowhere' }]) {
      expect(problems({ MTU: 'big' }, { ...chart, schema })).toEqual([]);
    }
  });

  test('of a list are named by the list', () => {
    const schema = { properties: { devices: { type: 'array', items: { type: 'string' } } } };
    const found = problems({ devices: ['eth0', 5] }, { ...chart, schema });
    expect(found).toEqual([
      'devices: ["eth0",5] is refused by the schema of the chart: it takes string',
    ]);
  });

  test('that a chart requires are its own defaults', () => {
    const schema = {
      type: 'object',
      required: ['cluster'],
      properties: { MTU: { type: 'integer' } },
    };
    expect(problems({ MTU: 1400 }, { ...chart, schema })).toEqual([]);
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

test('the values of the chart itself are no problem: they may be copied whole', () => {
  const defaults = { routingMode: '', tunnelProtocol: '', MTU: 0 };
  expect(checkValues(defaults, { defaults, read: new Set() })).toEqual([]);
  const other = { ...defaults, routingMode: 'tunel' };
  const [found] = checkValues(other, { defaults, read: new Set() });
  expect(found?.message).toBe('"tunel" is none of tunnel, native');
});

test.each(['__proto__', 'bpf.__proto__', 'constructor'])(
  'F37: a key that every object has is as unknown as any other: %s',
  (path) => {
    const text = path
      .split('.')
      .reduceRight((below, key) => `{ ${key}: ${below} }`, '{ aloud: 1 }');
    const defaults = { MTU: 0, bpf: { masquerade: true } };
    const found = checkValues(readUserValues(text, 'v.yaml').values, { defaults, read: new Set() });
    expect(found.map((one) => one.path)).toEqual([`${path}.aloud`]);
    expect(found[0]?.message).toBe('the chart does not know this key');
  },
);

test('a problem is found on its line', () => {
  const text = 'a: 1\nbpf:\n  masquerade: true\n  legacyBPFLink: true\n';
  expect(readUserValues(text, 'v.yaml').lineOf('bpf.legacyBPFLink')).toBe(4);
});
