import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  manifestDigest,
  parseRecord,
  recordData,
  valuesDigest,
} from '../../../src/drift/record.ts';
import { digestOf } from '../../support/values.ts';

const CONFIG =
  '# Source: a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata:\n  x: |\n    kind: Secret\n';
const SECRET =
  'apiVersion: v1\nkind: Secret\nmetadata: { name: s }\ndata: { password: Y2FuYXJ5 }\n';
const MANIFEST = `---\n${SECRET}---\n${CONFIG}`;
const RELEASE = {
  revision: 3,
  chart: digestOf('chart'),
  chartVersion: '1.19.6',
  values: digestOf('values'),
  manifest: manifestDigest(MANIFEST),
};

describe('the record of a release', () => {
  const data = recordData(RELEASE, MANIFEST);

  test('is read as it was written, without its Secrets', () => {
    const read = parseRecord(data);
    expect(read?.release).toEqual({ version: 1, ...RELEASE });
    expect(read?.manifest).toContain('kind: ConfigMap');
    expect(read?.manifest).not.toContain('Y2FuYXJ5');
  });

  test('has no chart after a rollback, for nobody has that of the revision any more', () => {
    const { chart: _, chartVersion: __, ...back } = RELEASE;
    expect(parseRecord(recordData(back, MANIFEST))?.release).toEqual({ version: 1, ...back });
  });

  test('is the same however its Secrets are made anew', () => {
    expect(manifestDigest(MANIFEST.replace('Y2FuYXJ5', 'bmV3'))).toBe(RELEASE.manifest);
    expect(manifestDigest(MANIFEST.replace('name: a', 'name: b'))).not.toBe(RELEASE.manifest);
  });

  test.each([
    ['another manifest', { 'manifest.gz': gzipSync('---\nkind: X\n').toString('base64') }],
    ['half a manifest', { 'manifest.gz': (data['manifest.gz'] ?? '').slice(0, 40) }],
    ['too much', { 'manifest.gz': gzipSync(Buffer.alloc(64 << 20)).toString('base64') }],
    ['no JSON', { release: '{' }],
    ['a version to come', { release: (data['release'] ?? '').replace('1', '2') }],
  ])('is none with %s', (_title, change) => {
    expect(parseRecord({ ...data, ...change })).toBeUndefined();
  });
});

test('values are the same whatever the order of their keys', () => {
  const one = { a: 1, b: { c: [1, { d: 2, e: null }] } };
  expect(valuesDigest(one)).toBe(valuesDigest({ b: { c: [1, { d: 2 }] }, a: 1 }));
  expect(valuesDigest(one)).not.toBe(valuesDigest({ ...one, a: 2 }));
});
