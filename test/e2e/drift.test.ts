import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KUBECONFIG } from '../../lab/cluster.ts';
import { STATE } from '../../lab/settings.ts';
import { ciliumship } from '../support/cli.ts';
import {
  kubectl,
  labEnvironment,
  nodeNamed,
  onNode,
  requireLab,
  startNode,
  stopNode,
} from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();
const CTR = ['k3s', 'ctr', '-n', 'k8s.io'];

interface Open {
  readonly what: string;
  readonly place: string;
  readonly state: string;
}

/** What is not as locked, `drift cilium worker`, and how drift ended. */
async function drift(): Promise<{ readonly code: number; readonly open: readonly string[] }> {
  const ended = await ciliumship(['drift', '-o', 'json'], { env });
  const { cells } = ended.json() as { readonly cells: readonly Open[] };
  const open = cells.filter(({ state }) => state !== 'ok');
  return {
    code: ended.code,
    open: open.map(({ what, place, state }) => `${state} ${what} ${place}`),
  };
}

async function mend(...command: readonly string[]): Promise<void> {
  const ended = await ciliumship(command, { env });
  expect(ended.code, ended.stderr).toBe(0);
  expect(await drift()).toEqual({ code: 0, open: [] });
}

describe.skipIf(missing !== undefined)('drift', () => {
  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });
  afterAll(async () => {
    if (missing === undefined) await ciliumship(['ship'], { env });
  });

  it('is none after a clean ship', async () => {
    expect(await drift()).toEqual({ code: 0, open: [] });
  });

  it('sees an image that was removed from one node, and its remedy mends it', async () => {
    const image = 'quay.io/cilium/hubble-ui-backend:lab';
    const list = await onNode(nodeNamed('worker'), ...CTR, 'images', 'ls', '-q');
    const names = list.split('\n').filter((name) => name.startsWith(image));
    await onNode(nodeNamed('worker'), ...CTR, 'images', 'rm', ...names);
    expect(await drift()).toEqual({ code: 3, open: [`drift ${image} worker`] });
    await mend('push', '--no-build', '--nodes', 'worker');
  });

  it('sees a label that was removed, and its remedy mends it', async () => {
    await kubectl('label', 'node', 'worker', 'hw-profile-');
    expect(await drift()).toEqual({ code: 3, open: ['drift nodes release'] });
    await mend('deploy');
  });

  it('sees a field that was set by hand, until it is taken back', async () => {
    const patch = (...args: readonly string[]) =>
      kubectl('-n', 'kube-system', 'patch', 'configmap', 'cilium-config', ...args);
    await patch('--type', 'merge', '-p', '{"data":{"by-hand":"1"}}');
    expect(await drift()).toEqual({ code: 3, open: ['drift objects release'] });
    await patch('--type', 'json', '-p', '[{"op":"remove","path":"/data/by-hand"}]');
    expect(await drift()).toEqual({ code: 0, open: [] });
  });

  it('sees a value that somebody else gave to Helm, and its remedy mends it', async () => {
    const chart = join(STATE, 'tree/install/kubernetes/cilium');
    const set = ['--reuse-values', '--set', 'hubble.ui.enabled=false'];
    const args = ['upgrade', 'cilium', chart, '-n', 'kube-system', ...set];
    await execa(join(STATE, 'bin', 'helm'), args, { env: { KUBECONFIG } });
    const found = await drift();
    expect(found.code).toBe(3);
    expect(found.open).toEqual(expect.arrayContaining(['drift values release']));
    await mend('deploy');
  });

  it('F52: never takes a node that is off for one that is as it should be', async () => {
    await stopNode('worker');
    try {
      const { code, open } = await drift();
      expect(code).toBe(5);
      expect(open).toContain('unknown cilium worker');
      expect(open.filter((line) => line.startsWith('drift'))).toEqual([]);
    } finally {
      await startNode('worker');
    }
  });

  it('a frozen push ships what is locked, and nothing else', async () => {
    const ended = await ciliumship(['push', '--no-build', '--frozen'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });
});
