import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROBE_SELECTOR } from '../../src/cluster/cni/probe.ts';
import { agentOn, agents, changedValues } from '../support/agents.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { helms } from '../support/helms.ts';
import { changedConfig, kubectl, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const tooLong = onlyInAll('two rollouts each');

/** What the admin asked the API server to change since a line of its audit log. */
async function changesSince(line: number): Promise<readonly string[]> {
  const text = await onNode(nodeNamed('master'), 'tail', '-n', `+${line + 1}`, AUDIT);
  const events = text.split('\n').filter((each) => each !== '');
  return events
    .map((each) => JSON.parse(each) as AuditEvent)
    .filter(({ user, verb }) => user.username === 'system:admin' && verb !== 'get')
    .map(({ verb, requestURI }) => `${verb} ${requestURI}`);
}

interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
}

const AUDIT = '/var/log/k3s-audit.log';

describe.skipIf(missing !== undefined).each(helms())('a rollout, with $name', (helm) => {
  const { env } = helm;

  /** With the lab's values, changed. */
  const deploy = (change: (values: string) => string, ...more: readonly string[]): Promise<Ended> =>
    ciliumship(['deploy', '--values', changedValues(change), ...more], { env });

  beforeAll(helm.begin);
  afterAll(helm.end);

  it('says in a dry run what it would do, and does nothing', async () => {
    const before = await agents();
    const from = Number(await onNode(nodeNamed('master'), 'sh', '-c', `wc -l < ${AUDIT}`));
    const ended = await deploy((values) => values.replace('MTU: 1400', 'MTU: 1390'), '--dry-run');
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/helm upgrade --install cilium/);
    expect(ended.stderr).toMatch(/delete pod \(the agent on worker\)/);
    expect(ended.stderr).toContain('MTU: 1400 → 1390');
    expect(ended.stderr).toMatch(/change ConfigMap cilium-config\s+data\.mtu: 1400 → 1390/);
    expect(ended.stderr).not.toContain('Secret');
    expect(await agents()).toEqual(before);
    expect((await changesSince(from)).filter((uri) => !uri.includes('dryRun=All'))).toEqual([]);
  });

  it('K3: starts and makes nothing a second time, though certificates are made at each render', async () => {
    const before = await agents();
    const first = await ciliumship(['deploy', '-o', 'json'], { env });
    const ended = await ciliumship(['deploy', '-o', 'json'], { env });
    expect(ended.json()).toEqual({ ...(first.json() as object), state: 'nothing to do' });
    expect(await agents()).toEqual(before);
  });

  it('takes back what somebody changed by hand, and starts nothing for it', async () => {
    const before = await agents();
    const patch = ['patch', 'cm', 'cilium-config', '--field-manager=kubectl-edit'];
    await kubectl('-n', 'kube-system', ...patch, '-p', '{"data":{"mtu":"1300"}}');
    const ended = await deploy((values) => values, ...helm.force);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('taken back: ConfigMap cilium-config: data.mtu (kubectl-edit)');
    const path = 'jsonpath={.data.mtu}';
    expect(await kubectl('-n', 'kube-system', 'get', 'cm', 'cilium-config', '-o', path)).toBe(
      '1400',
    );
    expect(await agents()).toEqual(before);
  });

  it('replaces each agent once for a changed MTU, which is then on the interface, and pods answer each other meanwhile', async () => {
    const before = await agents();
    const more = ['--count-lost', '-o', 'json'];
    const ended = await deploy((values) => values.replace('MTU: 1400', 'MTU: 1390'), ...more);
    expect(ended.code, ended.stderr).toBe(0);
    const { traffic } = ended.json() as { traffic: { sent: number; lost: number } };
    // Two ways, five pings a second; the datapath stays while its agent is replaced.
    expect(traffic.sent).toBeGreaterThan(20);
    expect(traffic.lost / traffic.sent, JSON.stringify(traffic)).toBeLessThan(0.2);
    expect(await kubectl('get', 'pods', '-A', '-l', PROBE_SELECTOR, '-o', 'name')).toBe('');
    const after = await agents();
    expect(after.filter((uid) => before.includes(uid))).toEqual([]);
    const checks = await ciliumship(['validate', '-o', 'json'], { env });
    expect(checks.code, checks.stderr).toBe(0);
    const mtu = (checks.json() as readonly { check: string; found: string }[]).filter(
      ({ check }) => check === 'MTU of cilium_vxlan',
    );
    expect(mtu.map(({ found }) => found)).toEqual(['1390', '1390']);
  });

  it('F40, D23: goes back when the agent of the canary crashes, shows its last words, and never touches the other node', async () => {
    const before = await agentOn('master');
    const ended = await deploy(
      (values) => `${values}extraConfig: { crash-on-start: "the wheel is broken" }\n`,
      ...['--timeout', '15s'],
    );
    expect(ended.code, ended.stderr).toBe(9);
    expect(ended.stderr).toContain('worker: the new agent was not ready after 15 s');
    expect(ended.stderr).toContain('the wheel is broken');
    expect(ended.stderr).toMatch(/next: /);
    expect(await agentOn('master')).toBe(before);
  });

  it.skipIf(tooLong !== undefined)(
    'F40: goes back and leaves an agent alone that somebody started anew since the last deploy',
    async () => {
      const proved = await agentOn('master');
      const field = ['--field-selector', 'spec.nodeName=master'];
      await kubectl('-n', 'kube-system', 'delete', 'pods', '-l', 'k8s-app=cilium', ...field);
      const wait = ['rollout', 'status', 'ds/cilium', '--timeout=90s'];
      await kubectl('-n', 'kube-system', ...wait);
      const before = await agentOn('master');
      expect(before).not.toBe(proved);
      const crash = 'extraConfig: { crash-on-start: "the wheel is broken" }\n';
      const ended = await deploy((values) => `${values}${crash}`, '--timeout', '15s');
      expect(ended.code, ended.stderr).toBe(9);
      expect(ended.stderr).not.toContain('the agent on master …');
      expect(await agentOn('master')).toBe(before);
    },
  );

  it.skipIf(tooLong !== undefined)(
    'leaves the order to the chart when asked to, and proves every agent all the same',
    async () => {
      const before = await agents();
      const ended = await deploy(
        (text) => text.replace('MTU: 1400', 'MTU: 1360'),
        ...['--strategy', 'chart'],
      );
      expect(ended.code, ended.stderr).toBe(0);
      const after = await agents();
      expect(after.filter((each) => before.includes(each))).toEqual([]);
      const back = await ciliumship(['deploy'], { env });
      expect(back.code, back.stderr).toBe(0);
      const again = await ciliumship(['deploy', '-o', 'json'], { env });
      expect(again.json(), again.stderr).toMatchObject({ state: 'nothing to do' });
    },
  );

  it.skipIf(tooLong !== undefined)(
    'K3: with the example values makes a revision once, and starts and makes nothing the second time',
    async () => {
      const example = readFileSync('values/cilium-values.yaml', 'utf8');
      const { dataAddress } = nodeNamed('master');
      const values = changedValues(() => example.replaceAll('10.4.100.1', dataAddress));
      const once = await ciliumship(['deploy', '--values', values, '-o', 'json'], { env });
      expect(once.code, once.stderr).toBe(0);
      const before = await agents();
      const again = await ciliumship(['deploy', '--values', values, '-o', 'json'], { env });
      expect(again.json(), again.stderr).toEqual({
        ...(once.json() as object),
        state: 'nothing to do',
      });
      expect(await agents()).toEqual(before);
    },
  );

  it.skipIf(tooLong !== undefined)(
    'F35: stops before a node that lost an image meanwhile, and goes back',
    async () => {
      const before = await agentOn('master');
      const image = await kubectl(
        ...['-n', 'kube-system', 'get', 'ds', 'cilium'],
        ...['-o', 'jsonpath={.spec.template.spec.containers[0].image}'],
      );
      const act = () => onNode(nodeNamed('master'), 'k3s', 'ctr', 'images', 'rm', image);
      const values = changedValues((text) => text.replace('MTU: 1400', 'MTU: 1370'));
      const actAt = { text: 'Roll out: replace the agent on worker …', act };
      const ended = await ciliumship(['deploy', '--values', values], { env, actAt });
      const restored = await ciliumship(['push', '--no-build'], { env });
      expect(restored.code, restored.stderr).toBe(0);
      expect(ended.code, ended.stderr).toBe(9);
      expect(ended.stderr).toContain(`master: ${image}: the node does not have it`);
      expect(await agentOn('master')).toBe(before);
    },
  );

  it('goes on to the end when the values are mended', async () => {
    const ended = await deploy((values) => values);
    expect(ended.code, ended.stderr).toBe(0);
    const checks = await ciliumship(['validate'], { env });
    expect(checks.code, `${checks.stdout}${checks.stderr}`).toBe(0);
    const status = await ciliumship(['status', '-o', 'json'], { env });
    const states = (status.json() as readonly { state: string }[]).map(({ state }) => state);
    // The operator runs on one node only.
    expect(new Set(states)).toEqual(new Set(['ok', 'no pod here']));
  });

  it('says what is wrong with the values before it looks for images', async () => {
    const config = changedConfig((text) => text.replace(/^tag: .*$/m, 'tag: never-built'));
    const values = changedValues((text) => text.replace('MTU: 1400', 'mtu: 1400'));
    const args = ['deploy', '--values', values];
    const ended = await ciliumship(args, { env: { ...env, CILIUMSHIP_CONFIG: config } });
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toMatch(/line \d+: mtu: .*MTU/);
  });

  it('never takes --nodes', async () => {
    const ended = await ciliumship(['deploy', '--nodes', 'worker'], { env });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('push --nodes worker');
  });
});
