import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { PROBE_SELECTOR } from '../../src/cluster/cni/probe.ts';
import { agentOn, changedValues } from '../support/agents.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { HELM3, helmKilledAt } from '../support/helms.ts';
import {
  changedConfig,
  kubectl,
  labEnvironment,
  nodeNamed,
  onNode,
  requireLab,
} from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const tooLong = onlyInAll('two rollouts each');
const env = labEnvironment();

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

/** What the kernel of a node says of an interface. */
function xdpOn(device: string, node = 'worker'): Promise<string> {
  return onNode(nodeNamed(node), 'ip', '-o', 'link', 'show', device);
}

/** The profile of a node, and every CiliumNodeConfig. */
async function toldOf(node: string): Promise<readonly string[]> {
  const label = kubectl('get', 'node', node, '-o', 'jsonpath={.metadata.labels.hw-profile}');
  const each = '{range .items[*]}{.metadata.name}: {.spec.defaults}{"\\n"}{end}';
  const get = ['get', 'ciliumnodeconfigs', '-o', `jsonpath=${each}`] as const;
  return Promise.all([label, kubectl('-n', 'kube-system', ...get)]);
}

const AUDIT = '/var/log/k3s-audit.log';

/** Deploys with the lab's values, changed. */
async function deploy(
  change: (values: string) => string,
  ...more: readonly string[]
): Promise<Ended> {
  return ciliumship(['deploy', '--values', changedValues(change), ...more], { env });
}

describe.skipIf(missing !== undefined)('a rollout', () => {
  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });

  it('says in a dry run what it would do, and does nothing', async () => {
    const before = await Promise.all([agentOn('master'), agentOn('worker')]);
    const from = Number(await onNode(nodeNamed('master'), 'sh', '-c', `wc -l < ${AUDIT}`));
    const ended = await deploy((values) => values.replace('MTU: 1400', 'MTU: 1390'), '--dry-run');
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/helm upgrade --install cilium/);
    expect(ended.stderr).toMatch(/delete pod \(the agent on worker\)/);
    expect(ended.stderr).toContain('MTU: 1400 → 1390');
    expect(ended.stderr).toMatch(/change ConfigMap cilium-config\s+data\.mtu: 1400 → 1390/);
    expect(ended.stderr).not.toContain('Secret');
    expect(await Promise.all([agentOn('master'), agentOn('worker')])).toEqual(before);
    expect((await changesSince(from)).filter((uri) => !uri.includes('dryRun=All'))).toEqual([]);
  });

  it('K3: starts and makes nothing a second time, though certificates are made at each render', async () => {
    const before = await Promise.all([agentOn('master'), agentOn('worker')]);
    const first = await ciliumship(['deploy', '-o', 'json'], { env });
    const ended = await ciliumship(['deploy', '-o', 'json'], { env });
    expect(ended.json()).toEqual({ ...(first.json() as object), state: 'nothing to do' });
    expect(await Promise.all([agentOn('master'), agentOn('worker')])).toEqual(before);
  });

  it('takes back what somebody changed by hand, and starts nothing for it', async () => {
    const before = await Promise.all([agentOn('master'), agentOn('worker')]);
    const patch = ['patch', 'cm', 'cilium-config', '--field-manager=kubectl-edit'];
    await kubectl('-n', 'kube-system', ...patch, '-p', '{"data":{"mtu":"1300"}}');
    const ended = await deploy((values) => values);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('taken back: ConfigMap cilium-config: data.mtu (kubectl-edit)');
    const path = 'jsonpath={.data.mtu}';
    expect(await kubectl('-n', 'kube-system', 'get', 'cm', 'cilium-config', '-o', path)).toBe(
      '1400',
    );
    expect(await Promise.all([agentOn('master'), agentOn('worker')])).toEqual(before);
  });

  it('replaces each agent once for a changed MTU, which is then on the interface, and pods answer each other meanwhile', async () => {
    const before = await Promise.all([agentOn('master'), agentOn('worker')]);
    const more = ['--count-lost', '-o', 'json'];
    const ended = await deploy((values) => values.replace('MTU: 1400', 'MTU: 1390'), ...more);
    expect(ended.code, ended.stderr).toBe(0);
    const { traffic } = ended.json() as { traffic: { sent: number; lost: number } };
    // Two ways, five pings a second; the datapath stays while its agent is replaced.
    expect(traffic.sent).toBeGreaterThan(20);
    expect(traffic.lost / traffic.sent, JSON.stringify(traffic)).toBeLessThan(0.2);
    expect(await kubectl('get', 'pods', '-A', '-l', PROBE_SELECTOR, '-o', 'name')).toBe('');
    const after = await Promise.all([agentOn('master'), agentOn('worker')]);
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
    'replaces the agent of one node for other devices of that node, and a rollback brings the old ones back on the interface',
    async () => {
      const devices = 'devices: [eth1, em2], profile: worker-layout';
      const config = changedConfig((text) => text.replace('profile: worker-layout', devices));
      const other = labEnvironment(config);
      // The tests before may have left another MTU, which would be a change on both nodes.
      const settled = await ciliumship(['deploy'], { env });
      expect(settled.code, settled.stderr).toBe(0);
      const [master, worker] = await Promise.all([agentOn('master'), agentOn('worker')]);
      const changed = await ciliumship(['deploy'], { env: other });
      expect(changed.code, changed.stderr).toBe(0);
      const now = await agentOn('worker');
      expect(now).not.toBe(worker);
      expect(await xdpOn('em2')).toContain('xdp');
      const planned = await ciliumship(['rollback', '--dry-run'], { env: other });
      expect(planned.code, planned.stderr).toBe(0);
      expect(planned.stderr).toContain('CiliumNodeConfig worker-layout: devices: eth1\n');
      expect(await agentOn('worker')).toBe(now);
      const back = await ciliumship(['rollback'], { env: other });
      expect(back.code, back.stderr).toBe(0);
      expect(back.stderr).toContain('worker: devices eth1 again; the config still says eth1 em2');
      expect(await agentOn('worker')).not.toBe(now);
      expect(await xdpOn('em2')).not.toContain('xdp');
      expect(await agentOn('master')).toBe(master);
      const again = await ciliumship(['deploy', '-o', 'json'], { env });
      expect(again.json(), again.stderr).toMatchObject({ state: 'nothing to do' });
    },
  );

  it.skipIf(tooLong !== undefined)(
    'for other devices of both nodes replaces each agent once, and a gate that says no brings the old ones back on the interface',
    async () => {
      const config = changedConfig((text) =>
        text.replace(/profile: (master|worker)-layout/g, (profile) => {
          const own = profile.includes('master') ? 'eth0' : 'eth1';
          return `devices: [${own}, em2], ${profile}`;
        }),
      );
      const other = labEnvironment(config);
      const master = await agentOn('master');
      const refused = await ciliumship(['deploy', '--gate', 'exit 1'], { env: other });
      expect(refused.code, refused.stderr).toBe(9);
      expect(await xdpOn('em2')).not.toContain('xdp');
      expect(await agentOn('master')).toBe(master);
      const before = await Promise.all([agentOn('master'), agentOn('worker')]);
      const changed = await ciliumship(['deploy'], { env: other });
      expect(changed.code, changed.stderr).toBe(0);
      const after = await Promise.all([agentOn('master'), agentOn('worker')]);
      expect(after.filter((each) => before.includes(each))).toEqual([]);
      expect(await xdpOn('em2')).toContain('xdp');
      expect(await xdpOn('em2', 'master')).toContain('xdp');
      const again = await ciliumship(['deploy', '-o', 'json'], { env: other });
      expect(again.json(), again.stderr).toMatchObject({ state: 'nothing to do' });
      const back = await ciliumship(['deploy'], { env });
      expect(back.code, back.stderr).toBe(0);
      expect(await xdpOn('em2')).not.toContain('xdp');
      expect(await xdpOn('em2', 'master')).not.toContain('xdp');
    },
  );

  it.skipIf(tooLong !== undefined)(
    'leaves the order to the chart when asked to, and proves every agent all the same',
    async () => {
      const before = await Promise.all([agentOn('master'), agentOn('worker')]);
      const ended = await deploy(
        (text) => text.replace('MTU: 1400', 'MTU: 1360'),
        ...['--strategy', 'chart'],
      );
      expect(ended.code, ended.stderr).toBe(0);
      const after = await Promise.all([agentOn('master'), agentOn('worker')]);
      expect(after.filter((each) => before.includes(each))).toEqual([]);
      const back = await ciliumship(['deploy'], { env });
      expect(back.code, back.stderr).toBe(0);
      const again = await ciliumship(['deploy', '-o', 'json'], { env });
      expect(again.json(), again.stderr).toMatchObject({ state: 'nothing to do' });
    },
  );

  it.skipIf(tooLong !== undefined)(
    'F38: by the chart, whose Helm is killed before it begins, gives nodes back the profile and devices that they had',
    async () => {
      const before = await Promise.all([agentOn('master'), agentOn('worker'), toldOf('worker')]);
      const devices = 'devices: [eth1, em2], profile: other-layout';
      const config = changedConfig((text) => text.replace('profile: worker-layout', devices));
      const helm = helmKilledAt({ ...HELM3, env: labEnvironment(config) }, 1, 1);
      const ended = await ciliumship(['deploy', '--strategy', 'chart'], { env: helm });
      expect(ended.code, ended.stderr).toBe(5);
      expect(ended.stderr).toContain('Devices: set the devices of master-layout, other-layout');
      expect(ended.stderr).toContain('the release was not changed');
      const after = await Promise.all([agentOn('master'), agentOn('worker'), toldOf('worker')]);
      expect(after).toEqual(before);
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
      const before = await Promise.all([agentOn('master'), agentOn('worker')]);
      const again = await ciliumship(['deploy', '--values', values, '-o', 'json'], { env });
      expect(again.json(), again.stderr).toEqual({
        ...(once.json() as object),
        state: 'nothing to do',
      });
      expect(await Promise.all([agentOn('master'), agentOn('worker')])).toEqual(before);
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
    const ended = await ciliumship(args, { env: labEnvironment(config) });
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toMatch(/line \d+: mtu: .*MTU/);
  });

  it('never takes --nodes', async () => {
    const ended = await ciliumship(['deploy', '--nodes', 'worker'], { env });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('push --nodes worker');
  });
});
