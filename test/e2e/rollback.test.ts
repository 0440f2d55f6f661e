import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execa } from 'execa';
import { KUBECONFIG } from '../../lab/cluster.ts';
import { CONFIG, TREE } from '../../lab/files.ts';
import { STATE } from '../../lab/settings.ts';
import { plainName } from '../../src/core/image.ts';
import { agentOn, changedValues } from '../support/agents.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { ageRelease } from '../support/helm-secret.ts';
import {
  changedConfig,
  helm4Environment,
  labEnvironment,
  nodeNamed,
  onNode,
  requireLab,
} from '../support/lab.ts';
import { testFolder } from '../support/folder.ts';
import { missingPart, until } from '../support/parts.ts';
import { breakAgent, resetTree } from '../support/tree.ts';

const missing = await missingPart('the lab', requireLab);
const env = labEnvironment();

async function imageOn(node: string): Promise<string | undefined> {
  return (await agentOn(node)).split(' ')[2];
}

/** Another MTU: a rollout that needs no build. */
function valuesWithMtu(mtu: number): string {
  return changedValues((text) => text.replace('MTU: 1400', `MTU: ${mtu}`));
}

async function deployMtu(mtu: number): Promise<Ended> {
  return ciliumship(['deploy', '--values', valuesWithMtu(mtu)], { env });
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

const HELM3 = join(STATE, 'bin', 'helm3');
const TO_LAB = { env: { KUBECONFIG }, reject: false } as const;

/** Leaves the release as a Helm does that is killed while it waits for its pods. */
async function killHelm(): Promise<void> {
  const chart = join(TREE, 'install/kubernetes/cilium');
  const nowhere = ['--set-string', 'operator.nodeSelector.nowhere=true'];
  const upgrade = ['upgrade', 'cilium', chart, '-n', 'kube-system', '--reuse-values', ...nowhere];
  await killWaiting(upgrade, ['cilium', '-n', 'kube-system'], 'pending-upgrade');
}

async function killWaiting(
  args: readonly string[],
  release: readonly string[],
  state: string,
): Promise<void> {
  const helm = execa(HELM3, [...args, '--timeout', '5m', '--wait'], TO_LAB);
  await until(`the release is ${state}`, 60, async () => {
    const { stdout } = await execa(HELM3, ['status', ...release, '-o', 'json'], TO_LAB);
    return stdout.includes(`"${state}"`);
  });
  helm.kill('SIGKILL');
  await helm;
}

const OTHER = ['first', '-n', 'default'] as const;

/** A release of its own whose Helm was killed while it waited for a pod that no node takes. */
async function killFirstInstall(): Promise<AsyncDisposable> {
  const chart = testFolder();
  mkdirSync(join(chart, 'templates'));
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: first\nversion: 1.0.0\n');
  const spec = '{ nodeSelector: { nowhere: "1" }, containers: [{ name: none, image: none }] }';
  writeFileSync(
    join(chart, 'templates/pod.yaml'),
    `apiVersion: v1\nkind: Pod\nmetadata: { name: first-install }\nspec: ${spec}\n`,
  );
  await killWaiting(['install', ...OTHER, chart], OTHER, 'pending-install');
  return {
    [Symbol.asyncDispose]: async () => {
      await execa(HELM3, ['uninstall', ...OTHER], TO_LAB);
    },
  };
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

  it('D23: is undone when the gate says no about the canary, also by Helm 4', async () => {
    const before = await agentOn('master');
    const gate = 'echo "no thanks, $CILIUMSHIP_NODE"; exit 3';
    const deploy = ['deploy', '--values', valuesWithMtu(1390), '--gate', gate];
    const ended = await ciliumship(deploy, { env: helm4Environment() });
    expect(ended.code, ended.stderr).toBe(9);
    expect(ended.stderr).toContain('worker: the gate said no with exit code 3');
    expect(ended.stderr).toContain('no thanks, worker');
    expect(await agentOn('master')).toBe(before);
  });

  it('and was killed after the canary is named, and finished by the next run', async () => {
    const before = await agentOn('master');
    const values = valuesWithMtu(1390);
    const signalAt = { text: 'replace the agent on master', signal: 'SIGKILL' } as const;
    await ciliumship(['deploy', '--values', values], { env, signalAt });
    const status = await ciliumship(['status'], { env });
    expect(status.stderr).toMatch(/the rollout of revision \d+ was not finished/);
    const ended = await ciliumship(['deploy', '--values', values], { env });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('it is finished now');
    expect(await agentOn('master')).not.toBe(before);
    expect(await mtus()).toEqual(['1390', '1390']);
  });

  it('is taken back on request, to what ran before; what a node lost is shipped from the store first', async () => {
    const image = (await imageOn('worker')) ?? '';
    const names = [image, plainName(image)];
    await onNode(nodeNamed('worker'), 'k3s', 'ctr', 'images', 'rm', '--sync', ...names);
    const planned = await ciliumship(['rollback', '--dry-run'], { env });
    expect(planned.code, planned.stderr).toBe(0);
    const ended = await ciliumship(['rollback'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain(
      `worker lacks ${image}; it is shipped from the blob store first`,
    );
    expect(ended.stderr).not.toContain('master lacks');
    expect(await mtus()).toEqual(['1400', '1400']);
  });

  it('F44: is refused to the second of two at once', async () => {
    const both = await Promise.all([deployMtu(1380), deployMtu(1380)]);
    expect(both.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 11]);
    expect(both.find(({ code }) => code === 11)?.stderr).toMatch(/\(process \d+\) is rolling out/);
  });

  it('E8, F38: by a Helm that was killed is shown, and repaired on request only, once no Helm can be at it', async () => {
    await killHelm();
    const early = await ciliumship(['deploy', '--repair-release'], { env });
    expect(early.code, early.stderr).toBe(10);
    expect(early.stderr).toContain('a Helm may still be at it');
    await ageRelease();
    const refused = await ciliumship(['deploy'], { env });
    expect(refused.code, refused.stderr).toBe(10);
    expect(refused.stderr).toMatch(/revision \d+ is pending-upgrade since 2026-01-01T00:00:00Z/);
    expect(refused.stderr).toContain('ciliumship deploy --repair-release');
    const ended = await ciliumship(['deploy', '--repair-release'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    expect(await mtus()).toEqual(['1400', '1400']);
  });

  it('F39: of which nothing was ever finished is never repaired unasked', async () => {
    await using _ = await killFirstInstall();
    const named = 'deploy:\n  release: first\n  namespace: default';
    const config = changedConfig((own) => own.replace('deploy:', named));
    const deploy = ['deploy', '--repair-release'];
    const early = await ciliumship(deploy, { env: labEnvironment(config) });
    expect(early.code, early.stderr).toBe(10);
    expect(early.stderr).toContain('a Helm may still be at it');
    await ageRelease('first', 'default');
    const ended = await ciliumship(deploy, { env: labEnvironment(config) });
    expect(ended.code, ended.stderr).toBe(10);
    expect(ended.stderr).toContain('release first: revision 1 is pending-install since 2026-01-01');
    expect(ended.stderr).toContain('helm uninstall first -n default');
    const { stdout } = await execa(HELM3, ['status', ...OTHER, '-o', 'json'], TO_LAB);
    expect(stdout).toContain('"pending-install"');
  });

  // The last one: the images that Docker has after it are the broken ones.
  it('F40, D23: of an agent that crashes is undone: the canary runs the old image, the other node never knew', async () => {
    const [before, image] = [await agentOn('master'), await imageOn('worker')];
    breakAgent('the new wheel is broken');
    const ended = await ciliumship(['ship', '--timeout', '20s'], { env });
    expect(ended.code, ended.stderr).toBe(9);
    expect(ended.stderr).toContain('worker: the new agent was');
    expect(ended.stderr).toContain('the new wheel is broken');
    expect(await agentOn('master')).toBe(before);
    expect(await imageOn('worker')).toBe(image);
    expect(savedLogs(ended)).toContain('the new wheel is broken');
  });
});
