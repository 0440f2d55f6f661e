import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Helm } from '../../../src/deploy/cluster.ts';
import { openHelm, renderChart } from '../../../src/system/helm.ts';
import { pullChart } from '../../../src/system/helm-pull.ts';

const release = { name: 'cilium', namespace: 'kube-system', chart: 'chart', values: [] };
const bin = mkdtempSync(join(tmpdir(), 'ciliumship-helm-'));
const path = process.env['PATH'];

beforeAll(() => {
  process.env['PATH'] = `${bin}${delimiter}${path}`;
});
afterAll(() => {
  process.env['PATH'] = path;
  rmSync(bin, { recursive: true });
});

/** A helm that knows its version, and answers everything else in one way. */
async function helmThat(says: { stderr?: string; stdout?: string; code: number }): Promise<Helm> {
  writeFileSync(join(bin, 'stdout'), says.stdout ?? '');
  writeFileSync(join(bin, 'stderr'), says.stderr ?? '');
  const script = `#!/bin/sh
[ "$1" = version ] && { echo v4.0.1; exit; }
cat ${join(bin, 'stdout')}
cat ${join(bin, 'stderr')} >&2
exit ${says.code}
`;
  writeFileSync(join(bin, 'helm'), script);
  chmodSync(join(bin, 'helm'), 0o755);
  return openHelm({ kubeconfig: 'none' }, new AbortController().signal);
}

const errorOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error,
  );

const questions: readonly [string, (helm: Helm) => Promise<unknown>][] = [
  ['status', (helm) => helm.status(release)],
  ['manifest', (helm) => helm.manifest(release)],
  ['history', (helm) => helm.history(release)],
];
const calls: typeof questions = [
  ...questions,
  ['render', (helm) => helm.render(release)],
  ['upgrade', (helm) => helm.upgrade(release, 'why')],
];

test('a release that Helm does not find is none', async () => {
  const helm = await helmThat({ stderr: 'Error: release: not found\n', code: 1 });
  expect(await helm.status(release)).toBeUndefined();
  expect(await helm.manifest(release)).toBeUndefined();
  expect(await helm.history(release)).toEqual([]);
});

describe.each(questions)('%s', (_name, call) => {
  test.each([
    'Error: query: failed to query with labels: secrets is forbidden',
    'Error: chart not found',
    '',
  ])('does not take "%s" for a release that is not there', async (stderr) => {
    const helm = await helmThat({ stderr, code: 1 });
    expect(await errorOf(call(helm))).toMatchObject({ kind: 'deploy' });
  });
});

describe.each(calls)('%s', (_name, call) => {
  test.each([
    'Error: Kubernetes cluster unreachable: Get "https://127.0.0.1:1": EOF',
    'Error: kubernetes cluster unreachable: Get "https://127.0.0.1:1": EOF',
    'Error: dial tcp 127.0.0.1:1: connect: connection refused',
    'Error: read tcp 127.0.0.1:1: i/o timeout',
    'Error: query: failed to query with labels: Get "https://127.0.0.1:1/api/v1/namespaces/kube-system/secrets?labelSelector=name%3Dcilium": EOF',
    'Error: UPGRADE FAILED: Get "https://127.0.0.1:1/version": net/http: TLS handshake timeout',
    'Error: UPGRADE FAILED: Patch "https://127.0.0.1:1/apis/apps/v1": context deadline exceeded',
    'Error: UPGRADE FAILED: context deadline exceeded',
    'Error: read tcp 10.4.100.2:1->10.4.100.1:6443: read: connection reset by peer',
    'Error: UPGRADE FAILED: etcdserver: request timed out',
    'Error: UPGRADE FAILED: etcdserver: leader changed',
    'Error: http2: client connection lost',
    'Error: the server is currently unable to handle the request',
    'Error: unexpected EOF',
  ])('fails as network for "%s"', async (stderr) => {
    const helm = await helmThat({ stderr, code: 1 });
    expect(await errorOf(call(helm))).toMatchObject({ kind: 'network', retryable: true });
  });
});

describe.each(calls)('F36: %s', (_name, call) => {
  test.each([
    'Error: UPGRADE FAILED: failed to create resource: Internal error occurred: failed calling webhook "x.example.com": failed to call webhook: Post "https://x.shop.svc:443/mutate?timeout=10s": dial tcp 10.43.0.9:443: connect: connection refused',
    'Error: UPGRADE FAILED: parse error at (cilium/templates/agent.yaml:9): unexpected EOF',
    'Error: template: cilium/templates/agent.yaml:9: unexpected EOF',
  ])('does not wait for what does not pass by itself: "%s"', async (stderr) => {
    const helm = await helmThat({ stderr, code: 1 });
    expect(await errorOf(call(helm))).not.toMatchObject({ kind: 'network' });
  });
});

describe('an upgrade that waits for pods', () => {
  const waits = async (stderr: string): Promise<unknown> => {
    const helm = await helmThat({ stderr, code: 1 });
    return errorOf(helm.upgrade({ ...release, wait: 1000 }, 'why'));
  };

  test.each([
    'Error: UPGRADE FAILED: context deadline exceeded',
    'Error: UPGRADE FAILED: Get "https://127.0.0.1:1/apis/apps/v1": context deadline exceeded',
  ])('in vain is no matter of the network: "%s"', async (stderr) => {
    expect(await waits(stderr)).toMatchObject({ kind: 'deploy' });
  });

  test('and finds no API server says so', async () => {
    const stderr =
      'Error: Kubernetes cluster unreachable: Get "https://127.0.0.1:1": context deadline exceeded';
    expect(await waits(stderr)).toMatchObject({ kind: 'network' });
  });
});

const signal = new AbortController().signal;
const chart = { chart: 'cilium', repo: undefined, version: '1.19.0', into: bin };

const looks: typeof questions = [
  ...questions,
  ['render', (helm) => helm.render(release)],
  ['values', (helm) => helm.values(release)],
  ['template', () => renderChart('chart', '', release, signal)],
  ['pull', () => pullChart(chart, signal)],
];
const changes: typeof questions = [
  ['upgrade', (helm) => helm.upgrade(release, 'why')],
  ['uninstall', (helm) => helm.uninstall(release)],
];

test.each([
  ...looks.map(([name, call]) => [name, 'network', call] as const),
  ...changes.map(([name, call]) => [name, 'deploy', call] as const),
])('F38: %s that a signal ended is of class %s, and no bug', async (_name, kind, call) => {
  const helm = await helmThat({ code: 0 });
  writeFileSync(join(bin, 'helm'), '#!/bin/sh\nkill -KILL $$\n');
  expect(await errorOf(call(helm))).toMatchObject({
    kind,
    message: expect.stringMatching(/^helm \w+ was ended by a signal$/) as string,
    retryable: true,
  });
});

test('the newest revision is the last one of the history', async () => {
  const stdout = JSON.stringify([
    { revision: 4, status: 'superseded', description: 'a' },
    { revision: 5, status: 'failed', description: 'b' },
  ]);
  const helm = await helmThat({ stdout, code: 0 });
  expect(await helm.status(release)).toEqual({ revision: 5, status: 'failed', description: 'b' });
  expect((await helm.history(release)).map(({ revision }) => revision)).toEqual([4, 5]);
});

test('E8: a removal under way is as old as its beginning, not as the last deploy', async () => {
  const helm = await helmThat({ code: 0 });
  const script = `#!/bin/sh
case "$1" in
history) echo '[{"revision":5,"status":"uninstalling","updated":"2026-01-01T00:00:00Z"}]' ;;
status) echo '{"info":{"last_deployed":"2026-01-01T00:00:00Z","deleted":"2026-11-29T10:00:00Z"}}' ;;
esac
`;
  writeFileSync(join(bin, 'helm'), script);
  expect(await helm.history(release)).toEqual([
    { revision: 5, status: 'uninstalling', description: '', updated: '2026-11-29T10:00:00Z' },
  ]);
});

test('a render that is refused is of kind config', async () => {
  const helm = await helmThat({ stderr: 'Error: values do not meet the schema', code: 1 });
  expect(await errorOf(helm.render(release))).toMatchObject({ kind: 'config' });
});

describe('an upgrade that fails is of kind deploy', () => {
  test('and leads to the history', async () => {
    const helm = await helmThat({ stderr: 'Error: UPGRADE FAILED: admission refused', code: 1 });
    expect(await errorOf(helm.upgrade(release, 'why'))).toMatchObject({
      kind: 'deploy',
      details: ['Error: UPGRADE FAILED: admission refused'],
      hint: expect.stringContaining('helm history cilium -n kube-system') as string,
    });
  });

  test('and leads out of what a killed helm left behind', async () => {
    const stderr = 'Error: another operation (install/upgrade/rollback) is in progress';
    const helm = await helmThat({ stderr, code: 1 });
    expect(await errorOf(helm.upgrade(release, 'why'))).toMatchObject({
      kind: 'deploy',
      hint: expect.stringContaining('ciliumship deploy --repair-release') as string,
    });
  });
});
