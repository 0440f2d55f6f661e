import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execa } from 'execa';
import { KUBECONFIG } from '../../lab/cluster.ts';
import { CONFIG, TREE } from '../../lab/files.ts';
import { STATE } from '../../lab/settings.ts';
import { SSH_CONFIG } from '../../lab/ssh.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { changedConfig, kubectl, labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart, until } from '../support/parts.ts';
import { breakAgent, resetTree } from '../support/tree.ts';

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();

/** Uid, start and image of the agent on a node. */
async function agent(node: string): Promise<string> {
  const fields = ['metadata.uid', 'status.startTime', 'spec.containers[0].image'];
  const path = fields.map((field) => `{.items[0].${field}}`).join(' ');
  return kubectl(
    ...['-n', 'kube-system', 'get', 'pods', '-l', 'k8s-app=cilium'],
    ...['--field-selector', `spec.nodeName=${node}`, '-o', `jsonpath=${path}`],
  );
}

async function imageOn(node: string): Promise<string | undefined> {
  return (await agent(node)).split(' ')[2];
}

/** Values of the lab with another MTU: a rollout that needs no build. */
function valuesWithMtu(mtu: number): string {
  const folder = dirname(changedConfig((text) => text));
  const file = join(folder, 'values.yaml');
  const values = readFileSync(join(dirname(SSH_CONFIG), 'cilium-values.yaml'), 'utf8');
  writeFileSync(file, values.replace('MTU: 1400', `MTU: ${mtu}`));
  return file;
}

async function deployMtu(mtu: number, ...more: readonly string[]): Promise<Ended> {
  return ciliumship(['deploy', '--values', valuesWithMtu(mtu), ...more], { env });
}

async function mtus(): Promise<readonly string[]> {
  const checks = await ciliumship(['validate', '-o', 'json'], { env });
  return (checks.json() as readonly { check: string; found: string }[])
    .filter(({ check }) => check === 'MTU of cilium_vxlan')
    .map(({ found }) => found);
}

/** What containers of the worker wrote, from the evidence that a failed rollout names. */
function savedLogs({ stderr }: Ended): string {
  const [, name = ''] = /evidence: .*?(\.ciliumship\/evidence\/\S+)/.exec(stderr) ?? [];
  const folder = join(dirname(CONFIG), name, 'worker');
  const logs = globSync('**/cilium-agent*.log', { cwd: folder });
  return logs.map((log) => readFileSync(join(folder, log), 'utf8')).join('\n');
}

/** Leaves the release as a Helm does that is killed while it waits for its pods. */
async function killHelm(): Promise<void> {
  const chart = join(TREE, 'install/kubernetes/cilium');
  const nowhere = [
    '--set-string',
    'operator.nodeSelector.nowhere=true',
    '--timeout',
    '5m',
    '--wait',
  ];
  const args = ['upgrade', 'cilium', chart, '-n', 'kube-system', '--reuse-values', ...nowhere];
  const helm = execa(join(STATE, 'bin', 'helm3'), args, {
    env: { KUBECONFIG },
    reject: false,
  });
  await until('the release is pending', 60, async () => {
    const status = ['status', 'cilium', '-n', 'kube-system', '-o', 'json'];
    const { stdout } = await execa(join(STATE, 'bin', 'helm3'), status, { env: { KUBECONFIG } });
    return stdout.includes('"pending-upgrade"');
  });
  helm.kill('SIGKILL');
  await helm;
}

describe.skipIf(missing !== undefined)('a rollout that goes wrong', () => {
  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });
  afterAll(async () => {
    await resetTree();
    const ended = await ciliumship(['ship'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });

  it('is undone when the gate says no about the canary', async () => {
    const before = await agent('master');
    const gate = 'echo "no thanks, $CILIUMSHIP_NODE"; exit 3';
    const ended = await deployMtu(1390, '--gate', gate);
    expect(ended.code, ended.stderr).toBe(9);
    expect(ended.stderr).toContain('worker: the gate said no with exit code 3');
    expect(ended.stderr).toContain('no thanks, worker');
    expect(await agent('master')).toBe(before);
  });

  it('and was killed after the canary is named, and finished by the next run', async () => {
    const before = await agent('master');
    const values = valuesWithMtu(1390);
    const signalAt = { text: 'replace the agent on master', signal: 'SIGKILL' } as const;
    await ciliumship(['deploy', '--values', values], { env, signalAt });
    const status = await ciliumship(['status'], { env });
    expect(status.stderr).toMatch(/the rollout of revision \d+ was not finished/);
    const ended = await ciliumship(['deploy', '--values', values], { env });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('it is finished now');
    expect(await agent('master')).not.toBe(before);
    expect(await mtus()).toEqual(['1390', '1390']);
  });

  it('is taken back on request, to what ran before', async () => {
    const ended = await ciliumship(['rollback'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    expect(await mtus()).toEqual(['1400', '1400']);
  });

  it('F44: is refused to the second of two at once', async () => {
    const both = await Promise.all([deployMtu(1380), deployMtu(1380)]);
    expect(both.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 11]);
    expect(both.find(({ code }) => code === 11)?.stderr).toMatch(/\(process \d+\) is rolling out/);
  });

  it('E8, F38: by a Helm that was killed is shown, and repaired on request only', async () => {
    await killHelm();
    const refused = await ciliumship(['deploy'], { env });
    expect(refused.code, refused.stderr).toBe(10);
    expect(refused.stderr).toMatch(/revision \d+ is pending-upgrade/);
    expect(refused.stderr).toContain('ciliumship deploy --repair-release');
    const ended = await ciliumship(['deploy', '--repair-release'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    expect(await mtus()).toEqual(['1400', '1400']);
  });

  // The last one: the images that Docker has after it are the broken ones.
  it('F40, D23: of an agent that crashes is undone: the canary runs the old image, the other node never knew', async () => {
    const [before, image] = [await agent('master'), await imageOn('worker')];
    breakAgent('the new wheel is broken');
    const ended = await ciliumship(['ship', '--timeout', '20s'], { env });
    expect(ended.code, ended.stderr).toBe(9);
    expect(ended.stderr).toContain('worker: the new agent was');
    expect(ended.stderr).toContain('the new wheel is broken');
    expect(await agent('master')).toBe(before);
    expect(await imageOn('worker')).toBe(image);
    expect(savedLogs(ended)).toContain('the new wheel is broken');
  });
});
