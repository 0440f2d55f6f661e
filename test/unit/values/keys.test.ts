import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  fits,
  has,
  keysOf,
  lookup,
  pathsOf,
  publishedChart,
  yamlOf,
  type Chart,
  type Keys,
} from './charts.ts';

const EXAMPLE = 'values/cilium-values.yaml';
const VERSIONS = ['1.17.17', '1.18.12', '1.19.6', '1.20.0'];
const PATCH = 'vxlanAcceleration';
const LAB_CHART = 'lab/cilium/install/kubernetes/cilium';

/** What ciliumship sets by itself over the user's values. */
const DERIVED = [
  'image.override',
  'image.useDigest',
  'image.pullPolicy',
  'operator.image.override',
  'operator.image.useDigest',
  'operator.image.pullPolicy',
  'rollOutCiliumPods',
  'operator.rollOutPods',
  'envoy.rollOutPods',
  'updateStrategy',
  'envoy.updateStrategy',
  'podAnnotations',
  'affinity',
];

/** What hand-written procedures set in vain. */
const NONEXISTENT = ['mtu', 'nodePort.acceleration', 'bpf.legacyBPFLink'];

const isPatch = (path: string): boolean => path.split('.')[0] === PATCH;

describe.each(VERSIONS)('chart %s', (version) => {
  const chart = publishedChart(version);
  const example = pathsOf(yamlOf(EXAMPLE), chart.keys);

  test('has every key of the example but those of the patch', () => {
    const unknown = example.map(([path]) => path).filter((path) => !has(chart, path));
    expect(example.length).toBeGreaterThan(25);
    expect(unknown.filter((path) => !isPatch(path))).toEqual([]);
    expect(unknown.filter(isPatch)).toHaveLength(4);
  });

  test('has the types that the example gives', () => {
    const wrong = example.filter(([path, value]) => !fits(value, lookup(chart.keys, path)));
    expect(wrong).toEqual([]);
  });

  test.each(DERIVED)('has %s', (path) => {
    expect(has(chart, path)).toBe(true);
  });

  test.each(NONEXISTENT)('has no %s', (path) => {
    expect(has(chart, path)).toBe(false);
  });
});

describe('the chart of the sample tree', () => {
  const keys = keysOf(yamlOf(`${LAB_CHART}/values.yaml`)) as Keys;
  const lab: Chart = { keys, undeclared: ['devices', 'tunnel'], images: [] };
  const published = publishedChart('1.19.6');

  test('has every key of the example, also those of the patch', () => {
    const paths = pathsOf(yamlOf(EXAMPLE), keys).map(([path]) => path);
    expect(paths.filter((path) => !has(lab, path))).toEqual([]);
    expect(paths.filter(isPatch)).toHaveLength(4);
  });

  test.each(DERIVED)('has %s', (path) => {
    expect(has(lab, path)).toBe(true);
  });

  test('has no key that the published chart of its version lacks, but the patch', () => {
    const paths = pathsOf(yamlOf(`${LAB_CHART}/values.yaml`), published.keys);
    const own = paths.map(([path]) => path).filter((path) => !has(published, path));
    expect(own.filter((path) => !isPatch(path))).toEqual([]);
  });

  test('describes each of its keys in the schema', () => {
    const schema = JSON.parse(readFileSync(`${LAB_CHART}/values.schema.json`, 'utf8')) as {
      properties: Record<string, unknown>;
    };
    const described = Object.keys(schema.properties).filter((key) => key !== 'devices');
    expect(described.sort()).toEqual(Object.keys(keys).sort());
  });

  test('has a repository for each image that the published chart deploys', () => {
    const text = readFileSync(`${LAB_CHART}/values.yaml`, 'utf8');
    const short = (image: string) => image.replace('operator-generic', 'operator');
    expect(published.images).toHaveLength(6);
    expect(published.images.filter((image) => !text.includes(short(image)))).toEqual([]);
  });
});
