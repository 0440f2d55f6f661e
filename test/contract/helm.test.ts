import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { ErrorKind } from '../../src/core/errors.ts';
import { ShipError } from '../../src/core/errors.ts';
import type { Helm, HelmRelease } from '../../src/deploy/cluster.ts';
import { heldChart } from '../../src/deploy/held-chart.ts';
import { openHelm } from '../../src/system/helm.ts';
import { KUBECONFIG } from '../../lab/cluster.ts';
import { STATE } from '../../lab/settings.ts';
import { fakeHelm } from '../support/fake-helm.ts';
import { testFolder } from '../support/folder.ts';
import { kubectl, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const NAMESPACE = 'helm-contract';

/** The real thing, found on PATH under the name helm. */
async function realHelm(name: 'helm3' | 'helm4', kubeconfig = KUBECONFIG): Promise<Helm> {
  const bin = mkdtempSync(join(tmpdir(), 'ciliumship-helm-'));
  symlinkSync(join(STATE, 'bin', name), join(bin, 'helm'));
  process.env['PATH'] = `${bin}:${process.env['PATH']}`;
  return openHelm({ kubeconfig }, new AbortController().signal);
}

describe.each([
  ['the fake', async (): Promise<Helm> => fakeHelm(), undefined],
  ['Helm 3', (): Promise<Helm> => realHelm('helm3'), missing],
  ['Helm 4', (): Promise<Helm> => realHelm('helm4'), missing],
])('%s as deploying uses it', (name, open, skip) => {
  describe.skipIf(skip !== undefined)('a release', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ciliumship-chart-'));
    let helm: Helm;
    let release: HelmRelease;

    beforeAll(async () => {
      const chart = join(folder, 'chart');
      mkdirSync(join(chart, 'templates'), { recursive: true });
      writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: contract\nversion: 1.0.0\n');
      writeFileSync(
        join(chart, 'templates', 'map.yaml'),
        'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: contract }\ndata: { color: {{ .Values.color | quote }}, braces: "{{ "{{" }} .of.no.template }}" }\n',
      );
      const values = join(folder, 'values.yaml');
      writeFileSync(values, 'color: red\n');
      helm = await open();
      release = {
        name: `contract-${helm.version.charAt(0)}`,
        namespace: NAMESPACE,
        chart,
        values: [values],
      };
      if (name !== 'the fake') await kubectl('create', 'namespace', NAMESPACE);
    });
    afterAll(async () => {
      if (name !== 'the fake') await kubectl('delete', 'namespace', NAMESPACE);
    });

    test('is nowhere before the first install', async () => {
      expect(await helm.status(release)).toBeUndefined();
      expect(await helm.manifest(release)).toBeUndefined();
      expect(await helm.history(release)).toEqual([]);
    });

    test('is rendered without being installed', async () => {
      expect(await helm.render(release)).toContain('red');
      expect(await helm.status(release)).toBeUndefined();
    });

    test('is installed as revision 1 under our description', async () => {
      expect(await helm.upgrade(release, 'first')).toBe(1);
      expect(await helm.status(release)).toMatchObject({
        revision: 1,
        status: 'deployed',
        description: 'first',
      });
    });

    test('renders as what was applied while nothing changes', async () => {
      expect((await helm.render(release)).trim()).toBe((await helm.manifest(release))?.trim());
    });

    test('renders as something else after a change of the values', async () => {
      writeFileSync(join(folder, 'values.yaml'), 'color: green\n');
      expect((await helm.render(release)).trim()).not.toBe((await helm.manifest(release))?.trim());
    });

    test('is upgraded to revision 2', async () => {
      expect(await helm.upgrade(release, 'second')).toBe(2);
      expect(await helm.manifest(release)).toContain('green');
      expect(await helm.status(release)).toMatchObject({ revision: 2, description: 'second' });
      const history = await helm.history(release);
      expect(history.map(({ revision, description }) => `${revision} ${description}`)).toEqual([
        '1 first',
        '2 second',
      ]);
    });

    test('goes back to an earlier revision as a new one, described by its number', async () => {
      await helm.rollback(release, 1);
      expect(await helm.status(release)).toMatchObject({
        revision: 3,
        status: 'deployed',
        description: 'Rollback to 1',
      });
      expect(await helm.manifest(release)).toContain('red');
      expect(await helm.manifest(release, 2)).toContain('green');
    });

    test('is upgraded to what an earlier revision applied, by a chart of that; no revision is dropped', async () => {
      const chart = join(folder, 'held');
      mkdirSync(join(chart, 'templates'), { recursive: true });
      const applied = (await helm.manifest(release, 2)) ?? '';
      for (const [file, text] of heldChart(applied, 2)) writeFileSync(join(chart, file), text);
      expect(await helm.upgrade({ ...release, chart, keepHistory: true }, 'held')).toBe(4);
      expect(objectsIn((await helm.manifest(release)) ?? '')).toEqual(objectsIn(applied));
      expect(applied).toContain('green');
      expect(await helm.history(release)).toHaveLength(4);
    });

    test('cannot go back to a revision that never was', async () => {
      expect(await helm.manifest(release, 9)).toBeUndefined();
      expect(await kindOf(helm.rollback(release, 9))).toBe('deploy');
    });

    test('is refused with a chart that is none', async () => {
      const kind = await kindOf(helm.render({ ...release, chart: folder }));
      expect(kind).toBe('config');
    });

    test('that cannot be upgraded stays as it is, and the failure is one of deploying', async () => {
      const before = await helm.status(release);
      expect(await kindOf(helm.upgrade({ ...release, chart: folder }, 'third'))).toBe('deploy');
      expect(await helm.status(release)).toEqual(before);
    });

    test('is nowhere after it was removed', async () => {
      await helm.uninstall(release);
      expect(await helm.history(release)).toEqual([]);
    });
  });
});

describe.each(['helm3', 'helm4'] as const)('%s', (name) => {
  test.skipIf(missing !== undefined)('tells no answer from no release', async () => {
    const helm = await realHelm(name, nowhere());
    const release = { name: 'none', namespace: NAMESPACE, chart: '.', values: [] };
    expect(await kindOf(helm.status(release))).toBe('network');
    expect(await kindOf(helm.manifest(release))).toBe('network');
    expect(await kindOf(helm.history(release))).toBe('network');
    expect(await kindOf(helm.render(release))).toBe('network');
  });
});

function objectsIn(manifest: string): readonly unknown[] {
  return parseAllDocuments(manifest).map((document) => document.toJS() as unknown);
}

/** A kubeconfig of an API server on a port where nobody listens. */
function nowhere(): string {
  const file = join(testFolder(), 'kubeconfig');
  const config = {
    clusters: [{ name: 'none', cluster: { server: 'https://127.0.0.1:1' } }],
    contexts: [{ name: 'none', context: { cluster: 'none' } }],
    'current-context': 'none',
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

async function kindOf(promise: Promise<unknown>): Promise<ErrorKind | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => (error instanceof ShipError ? error.kind : 'bug'),
  );
}
