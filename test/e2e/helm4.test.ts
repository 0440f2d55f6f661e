import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agents, valuesWithMtu } from '../support/agents.ts';
import { ciliumship } from '../support/cli.ts';
import { newestRevision } from '../support/helm-secret.ts';
import { HELM3, helm4 } from '../support/helms.ts';
import { kubectl, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';

const missing =
  onlyInAll('six rollouts with Helm 3 and 4, 2 minutes') ??
  (await missingPart('the lab', requireLab));
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
});
