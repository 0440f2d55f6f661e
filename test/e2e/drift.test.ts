import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { KUBECONFIG } from '../../lab/cluster.ts';
import { STATE } from '../../lab/settings.ts';
import { ciliumship } from '../support/cli.ts';
import { drift, mendAsPrinted } from '../support/drift.ts';
import {
  kubectl,
  labEnvironment,
  nodeNamed,
  onNode,
  requireLab,
  startNode,
  stopNode,
} from '../support/lab.ts';
import { missingPart, onlyInAll, until } from '../support/parts.ts';
import { asIfPulled, forgetPulled } from '../support/pulled-image.ts';

const missing = await missingPart('the lab', requireLab);
const rarely = onlyInAll('a build and two deploys') !== undefined;
const env = labEnvironment();
const CTR = ['k3s', 'ctr', '-n', 'k8s.io'];
const UI = 'quay.io/cilium/hubble-ui:lab';
const BACKEND = 'quay.io/cilium/hubble-ui-backend:lab';

describe.skipIf(missing !== undefined)('drift', () => {
  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });
  afterAll(async () => {
    if (missing === undefined) await ciliumship(['ship'], { env });
  });

  it('is none after a clean ship', async () => {
    expect(await drift()).toMatchObject({ code: 0, open: [] });
  });

  it('sees on one node another image under our tag, an image that is gone, a pin that is gone', async () => {
    const worker = nodeNamed('worker');
    const names = (await onNode(worker, ...CTR, 'images', 'ls', '-q')).split('\n');
    const envoy = 'quay.io/cilium/cilium-envoy:lab';
    const of = (image: string): readonly string[] => names.filter((name) => name.startsWith(image));
    await onNode(worker, ...CTR, 'images', 'tag', '--force', envoy, UI);
    await onNode(worker, ...CTR, 'images', 'rm', ...of(BACKEND));
    for (const name of of('quay.io/cilium/hubble-relay:lab')) {
      await onNode(worker, ...CTR, 'images', 'label', name, 'io.cri-containerd.pinned=');
    }
    const wanted = [
      'drift quay.io/cilium/hubble-relay:lab node worker',
      `drift ${UI} node worker`,
      `drift ${BACKEND} node worker`,
    ];
    // The CRI hears of a label from containerd a moment later.
    await until('the CRI knows', 30, async () => (await drift()).open.length === wanted.length);
    const found = await drift();
    expect(found.code).toBe(3);
    expect([...found.open].toSorted()).toEqual(wanted.toSorted());
    expect(found.cells.map((cell) => cell.found)).toContain('not pinned');
    await mendAsPrinted(found);
  });

  it('sees a pod that runs the old image under the same tag', async () => {
    const { stdout: old } = await execa('docker', ['image', 'inspect', '-f', '{{.Id}}', BACKEND]);
    try {
      const build = ['build', '-q', '--label', 'new=1', '-t', BACKEND, '-'];
      await execa('docker', build, { input: `FROM ${BACKEND}\n` });
      await ciliumship(['push', '--no-build'], { env });
      const found = await drift();
      expect(found.code).toBe(3);
      expect(found.open).toEqual([expect.stringContaining(`drift ${BACKEND} running`)]);
      expect(found.cells[0]?.since).toMatch(/^\d{4}-\d\d-\d\dT/);
      await mendAsPrinted(found);
    } finally {
      await execa('docker', ['tag', old, BACKEND]);
      await ciliumship(['push', '--no-build'], { env });
      await mendAsPrinted(await drift());
    }
  });

  it('sees fields that were edited by hand, with who did it, and mends exactly these', async () => {
    const edit = `sed -i 's/^data:/data:\\n  by-hand: "1"/'`;
    await execa(
      join(STATE, 'bin', 'kubectl'),
      ['-n', 'kube-system', 'edit', 'configmap', 'cilium-config'],
      {
        env: { ...env, KUBE_EDITOR: edit },
      },
    );
    await kubectl('-n', 'kube-system', 'set', 'env', 'daemonset/cilium-envoy', 'BY_HAND=1');
    const found = await drift();
    expect(found.code).toBe(3);
    expect(found.open).toEqual([
      'drift ConfigMap cilium-config data.by-hand release',
      expect.stringMatching(/DaemonSet cilium-envoy .*env\[BY_HAND\] release$/),
    ]);
    expect(found.cells.map(({ by }) => by)).toEqual(['kubectl-edit', 'kubectl-set']);
    expect(found.cells.every(({ since }) => /^\d{4}-/.test(since ?? ''))).toBe(true);
    await mendAsPrinted(found);
  });

  it('D25: does not let what a cluster says steer the CI server that reads it', async () => {
    const hostile = 'x\n::set-output name=a::b\n##[error]y <b>';
    const patch = (type: string, change: unknown) =>
      kubectl(
        ...['-n', 'kube-system', 'patch', 'configmap', 'cilium-config'],
        ...['--type', type, '-p', JSON.stringify(change)],
      );
    await patch('merge', { data: { 'by-hand': hostile } });
    try {
      const folder = mkdtempSync(join(tmpdir(), 'ciliumship-e2e-'));
      const files = ['md', 'xml', 'sarif', 'json'].map((end) => join(folder, `drift.${end}`));
      const ended = await ciliumship(['drift', '--report', files.join(',')], { env });
      expect(ended.code).toBe(3);
      const texts = files.map((file) => readFileSync(file, 'utf8'));
      for (const text of [`${ended.stdout}\n${ended.stderr}`, ...texts]) {
        expect(text).toMatch(/by.{1,9}hand/);
        expect(text).not.toMatch(/^\s*::.*::|##\[/m);
      }
    } finally {
      await patch('json', [{ op: 'remove', path: '/data/by-hand' }]);
    }
  });

  it('sees a value of another Helm, a label, a node configuration and an object that are gone', async () => {
    const chart = join(STATE, 'tree/install/kubernetes/cilium');
    const set = ['--reuse-values', '--set', 'hubble.ui.enabled=false'];
    const args = ['upgrade', 'cilium', chart, '-n', 'kube-system', ...set];
    await execa(join(STATE, 'bin', 'helm'), args, { env: { KUBECONFIG } });
    await kubectl('label', 'node', 'worker', 'hw-profile-');
    await kubectl(
      ...['-n', 'kube-system', 'patch', 'ciliumnodeconfig', 'master-layout', '--type', 'merge'],
      ...['-p', '{"spec":{"defaults":{"devices":"lo"}}}'],
    );
    const found = await drift();
    expect(found.code).toBe(3);
    expect(found.open).toEqual(
      expect.arrayContaining([
        'drift values release',
        'drift manifest release',
        'drift Deployment hubble-ui release',
        'drift label hw-profile of worker release',
        'drift CiliumNodeConfig master-layout release',
      ]),
    );
    const values = found.cells.find(({ what }) => what === 'values');
    expect(values?.found).toContain('hubble.ui.enabled');
    expect(found.remedies).toEqual(['ciliumship deploy']);
    await mendAsPrinted(found);
  });

  it.skipIf(rarely)(
    'sees an image that is gone from Docker, which a push builds again',
    async () => {
      const lock = parse(readFileSync(join(STATE, 'ciliumship.lock'), 'utf8')) as {
        readonly images: Readonly<Record<string, { readonly name: string }>>;
      };
      await execa('docker', ['image', 'rm', lock.images['cilium']?.name ?? '']);
      const found = await drift();
      expect(found).toMatchObject({ code: 3, open: ['drift cilium local'] });
      expect(found.remedies).toEqual(['ciliumship push']);
      await mendAsPrinted(found);
    },
  );

  it.skipIf(rarely)(
    'is none, nor is anything behind, for an image that was pulled from its registry before it was shipped',
    async () => {
      const envoy = 'quay.io/cilium/cilium-envoy:lab';
      const selector = ['-l', 'k8s-app=cilium-envoy', '--field-selector=spec.nodeName=worker'];
      const of = ['-n', 'kube-system', 'pod', ...selector];
      const ids = 'jsonpath={.items[*].status.containerStatuses[*].imageID}';
      const restarted = async (wanted: (id: string) => boolean): Promise<void> => {
        await kubectl('delete', ...of);
        await until('envoy runs again', 60, async () =>
          wanted(await kubectl('get', ...of, '-o', ids)),
        );
        await kubectl('wait', '--for=condition=Ready', '--timeout=60s', ...of);
      };
      const pulled = await asIfPulled('worker', envoy);
      try {
        await restarted((id) => id.includes(pulled));
        expect(await drift()).toMatchObject({ code: 0, open: [] });
        const status = await ciliumship(['status', '-o', 'json'], { env });
        const rows = status.json() as readonly { readonly image: string; readonly state: string }[];
        const states = rows.filter(({ image }) => image === envoy).map(({ state }) => state);
        expect(states).toEqual(['ok', 'ok']);
        const ship = await ciliumship(['ship'], { env });
        expect(ship.code, ship.stderr).toBe(0);
        expect(ship.stdout).toContain('1/2 (1 by another manifest)');
      } finally {
        await forgetPulled('worker', pulled);
        await restarted((id) => id !== '' && !id.includes('@'));
      }
    },
  );

  it('sees an object that was deleted', async () => {
    await kubectl('-n', 'kube-system', 'delete', 'deployment', 'hubble-ui');
    const found = await drift();
    expect(found.open).toContain('drift Deployment hubble-ui release');
    await mendAsPrinted(found);
  });

  it('F52: never takes a node that is off for one that is as it should be', async () => {
    await stopNode('worker');
    try {
      const { code, open } = await drift();
      expect(code).toBe(5);
      expect(open).toContain('unknown cilium node worker');
      expect(open.filter((line) => line.startsWith('drift'))).toEqual([]);
    } finally {
      await startNode('worker');
    }
  });

  it('a frozen push and a frozen deploy take what is locked, and nothing else', async () => {
    for (const words of [['push', '--no-build'], ['deploy']]) {
      const ended = await ciliumship([...words, '--frozen'], { env });
      expect(ended.code, ended.stderr).toBe(0);
    }
    const folder = mkdtempSync(join(tmpdir(), 'ciliumship-e2e-'));
    const values = readFileSync(join(STATE, 'cilium-values.yaml'), 'utf8');
    const other = join(folder, 'values.yaml');
    writeFileSync(other, values.replace('MTU: 1400', 'MTU: 1390'));
    const refused = await ciliumship(['deploy', '--frozen', '--values', other], { env });
    expect(refused.code).toBe(7);
    expect(refused.stderr).toContain('chart, values and images render to');
  });
});
