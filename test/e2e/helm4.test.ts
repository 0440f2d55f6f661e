import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentOn, changedValues } from '../support/agents.ts';
import { ciliumship } from '../support/cli.ts';
import { helm4 } from '../support/helms.ts';
import { kubectl, labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';

const missing =
  onlyInAll('four rollouts with Helm 4, 2 minutes') ?? (await missingPart('the lab', requireLab));
const helm3 = labEnvironment();
const MTU = ['-n', 'kube-system', 'get', 'cm', 'cilium-config', '-o', 'jsonpath={.data.mtu}'];

describe.skipIf(missing !== undefined)('with Helm 4', () => {
  const { env, begin, end } = helm4();
  const values = (): string => changedValues((text) => text.replace('MTU: 1400', 'MTU: 1390'));

  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env: helm3 });
    expect(ended.code, ended.stderr).toBe(0);
    await begin();
  });
  afterAll(end);

  it('a rollout replaces each agent, a second one nothing, and a rollback brings the old one back', async () => {
    const before = await Promise.all([agentOn('master'), agentOn('worker')]);
    const deployed = await ciliumship(['deploy', '--values', values()], { env });
    expect(deployed.code, deployed.stderr).toBe(0);
    const after = await Promise.all([agentOn('master'), agentOn('worker')]);
    expect(after.filter((each) => before.includes(each))).toEqual([]);
    const again = await ciliumship(['deploy', '--values', values(), '-o', 'json'], { env });
    expect(again.json(), again.stderr).toMatchObject({ state: 'nothing to do' });
    expect(await Promise.all([agentOn('master'), agentOn('worker')])).toEqual(after);
    const back = await ciliumship(['rollback'], { env });
    expect(back.code, back.stderr).toBe(0);
    expect(await kubectl(...MTU)).toBe('1400');
  });

  it('a field that was changed by hand stops a deploy beforehand, and is taken back on request', async () => {
    const patch = ['patch', 'cm', 'cilium-config', '--field-manager=kubectl-edit'];
    await kubectl('-n', 'kube-system', ...patch, '-p', '{"data":{"mtu":"1300"}}');
    const refused = await ciliumship(['deploy'], { env });
    expect(refused.code, refused.stderr).toBe(2);
    expect(refused.stderr).toContain('ConfigMap cilium-config: data.mtu (kubectl-edit)');
    expect(refused.stderr).toContain('ciliumship deploy --force-conflicts');
    const forced = await ciliumship(['deploy', '--force-conflicts'], { env });
    expect(forced.code, forced.stderr).toBe(0);
    expect(await kubectl(...MTU)).toBe('1400');
  });

  it('F40: of an agent that crashes is undone', async () => {
    const before = await agentOn('master');
    const crash = changedValues((text) => `${text}extraConfig: { crash-on-start: "broken" }\n`);
    const ended = await ciliumship(['deploy', '--values', crash, '--timeout', '15s'], { env });
    expect(ended.code, ended.stderr).toBe(9);
    expect(await agentOn('master')).toBe(before);
  });
});
