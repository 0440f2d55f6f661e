import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentOn } from '../support/agents.ts';
import { ciliumship } from '../support/cli.ts';
import { helmKilledAt, helms } from '../support/helms.ts';
import { changedConfig, kubectl, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';

const missing = onlyInAll('two rollouts each') ?? (await missingPart('the lab', requireLab));

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

describe.skipIf(missing !== undefined).each(helms())('other devices, with $name', (helm) => {
  const { env } = helm;
  const configured = (config: string): NodeJS.ProcessEnv => ({ ...env, CILIUMSHIP_CONFIG: config });

  beforeAll(helm.begin);
  afterAll(helm.end);

  it('of one node replace its agent and no other, and a rollback brings the old ones back on the interface', async () => {
    const devices = 'devices: [eth1, em2], profile: worker-layout';
    const config = changedConfig((text) => text.replace('profile: worker-layout', devices));
    const other = configured(config);
    const [master, worker] = await Promise.all([agentOn('master'), agentOn('worker')]);
    const changed = await ciliumship(['deploy'], { env: other });
    expect(changed.code, changed.stderr).toBe(0);
    const now = await agentOn('worker');
    expect(now).not.toBe(worker);
    expect(await xdpOn('em2')).toContain('xdp');
    const planned = await ciliumship(['rollback', '--dry-run'], { env: other });
    expect(planned.code, planned.stderr).toBe(0);
    expect(planned.stderr).toContain('CiliumNodeConfig worker-layout: devices: eth1\n');
    expect(planned.stderr).toContain('(the agent on worker)');
    expect(planned.stderr).not.toContain('(the agent on master)');
    expect(await agentOn('worker')).toBe(now);
    const back = await ciliumship(['rollback'], { env: other });
    expect(back.code, back.stderr).toBe(0);
    expect(back.stderr).toContain('worker: devices eth1 again; the config still says eth1 em2');
    expect(await agentOn('worker')).not.toBe(now);
    expect(await xdpOn('em2')).not.toContain('xdp');
    expect(await agentOn('master')).toBe(master);
    const again = await ciliumship(['deploy', '-o', 'json'], { env });
    expect(again.json(), again.stderr).toMatchObject({ state: 'nothing to do' });
  });

  it('of both nodes replace each agent once, and a gate that says no brings the old ones back on the interface', async () => {
    const config = changedConfig((text) =>
      text.replace(/profile: (master|worker)-layout/g, (profile) => {
        const own = profile.includes('master') ? 'eth0' : 'eth1';
        return `devices: [${own}, em2], ${profile}`;
      }),
    );
    const other = configured(config);
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
  });

  it('F38: given to nodes before a Helm that is killed before it begins (--strategy chart) are taken back, with the profile', async () => {
    const before = await Promise.all([agentOn('master'), agentOn('worker'), toldOf('worker')]);
    const devices = 'devices: [eth1, em2], profile: other-layout';
    const config = changedConfig((text) => text.replace('profile: worker-layout', devices));
    const killed = helmKilledAt({ ...helm, env: configured(config) }, 1, 1);
    const ended = await ciliumship(['deploy', '--strategy', 'chart'], { env: killed });
    expect(ended.code, ended.stderr).toBe(5);
    expect(ended.stderr).toContain('Devices: set the devices of master-layout, other-layout');
    expect(ended.stderr).toContain('the release was not changed');
    const after = await Promise.all([agentOn('master'), agentOn('worker'), toldOf('worker')]);
    expect(after).toEqual(before);
  });
});
