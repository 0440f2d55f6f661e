import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentOn, agents, changedValues, valuesWithMtu } from '../support/agents.ts';
import { ciliumship } from '../support/cli.ts';
import { newestRevision } from '../support/helm-secret.ts';
import { HELM3, helm4 } from '../support/helms.ts';
import { kubectl, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';

const missing =
  onlyInAll('eight rollouts with Helm 4, 4 minutes') ?? (await missingPart('the lab', requireLab));
const MTU = ['-n', 'kube-system', 'get', 'cm', 'cilium-config', '-o', 'jsonpath={.data.mtu}'];

describe.skipIf(missing !== undefined)('whoever changes from one Helm to the other', () => {
  beforeAll(HELM3.begin);

  it.each([
    ['Helm 4', HELM3, helm4()],
    ['Helm 3', helm4(), HELM3],
  ])('K3: and deploys with %s what the other deployed has nothing to do', async (_, one, other) => {
    const deploy = ['deploy', '--values', valuesWithMtu(1380), '-o', 'json'];
    const first = await ciliumship(deploy, { env: one.env });
    expect(first.code, first.stderr).toBe(0);
    const before = await Promise.all([agents(), newestRevision()]);
    const second = await ciliumship(deploy, { env: other.env });
    expect(second.json(), second.stderr).toMatchObject({ state: 'nothing to do' });
    expect(await Promise.all([agents(), newestRevision()])).toEqual(before);
    const back = await ciliumship(['rollback'], { env: other.env });
    expect(back.code, back.stderr).toBe(0);
  });
});

describe.skipIf(missing !== undefined)('with Helm 4', () => {
  const { env, begin, end } = helm4();

  beforeAll(begin);
  afterAll(end);

  it('a rollout replaces each agent, a second one nothing, and a rollback brings the old one back', async () => {
    const before = await agents();
    const deployed = await ciliumship(['deploy', '--values', valuesWithMtu(1390)], { env });
    expect(deployed.code, deployed.stderr).toBe(0);
    const after = await agents();
    expect(after.filter((each) => before.includes(each))).toEqual([]);
    const again = await ciliumship(['deploy', '--values', valuesWithMtu(1390), '-o', 'json'], {
      env,
    });
    expect(again.json(), again.stderr).toMatchObject({ state: 'nothing to do' });
    expect(await agents()).toEqual(after);
    const back = await ciliumship(['rollback'], { env });
    expect(back.code, back.stderr).toBe(0);
    expect(await kubectl(...MTU)).toBe('1400');
  });

  it('a field that a dashboard changed stops a deploy beforehand, and is taken back on request', async () => {
    const patch = ['patch', 'cm', 'cilium-config', '--field-manager=Mozilla'];
    await kubectl('-n', 'kube-system', ...patch, '-p', '{"data":{"mtu":"1300"}}');
    const refused = await ciliumship(['deploy'], { env });
    expect(refused.code, refused.stderr).toBe(2);
    expect(refused.stderr).toContain('ConfigMap cilium-config: data.mtu (Mozilla)');
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
