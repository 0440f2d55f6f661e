import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TREE } from '../../lab/files.ts';
import { agentOn } from '../support/agents.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { testFolder } from '../support/folder.ts';
import { helms } from '../support/helms.ts';
import { changedConfig, kubectl, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const tooLong = onlyInAll('Helm goes forth and back');

/** Deploys the chart of the lab with a template more. */
function deployWith(template: string, helm: NodeJS.ProcessEnv): Promise<Ended> {
  const chart = testFolder();
  cpSync(join(TREE, 'install/kubernetes/cilium'), chart, { recursive: true });
  writeFileSync(join(chart, 'templates', 'broken.yaml'), template);
  const config = changedConfig((text) => text.replace('deploy:', `deploy:\n  chart: ${chart}`));
  return ciliumship(['deploy'], { env: { ...helm, CILIUMSHIP_CONFIG: config } });
}

function revisions(): Promise<string> {
  return kubectl('-n', 'kube-system', 'get', 'secret', '-l', 'owner=helm', '-o', 'name');
}

describe.skipIf(missing !== undefined).each(helms())('a broken chart, with $name', (helm) => {
  const { env } = helm;

  beforeAll(helm.begin);
  afterAll(helm.end);

  it('F37: that cannot be rendered is refused, with what Helm says, before anything is changed', async () => {
    const before = await revisions();
    const ended = await deployWith('{{ fail "the wheel is broken" }}\n', env);
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toContain('the wheel is broken');
    expect(await revisions()).toBe(before);
  });

  it.skipIf(tooLong !== undefined)(
    'F37: of which the API server refuses an object is undone, and no agent is replaced',
    async () => {
      const before = await Promise.all([agentOn('master'), agentOn('worker')]);
      const name = 'Not_A_Name';
      const object = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\n`;
      const ended = await deployWith(object, env);
      expect(ended.code, ended.stderr).toBe(9);
      expect(ended.stderr).toContain(name);
      expect(ended.stderr).toMatch(/revision \d+ runs again on every node/);
      expect(await Promise.all([agentOn('master'), agentOn('worker')])).toEqual(before);
      const again = await ciliumship(['deploy', '-o', 'json'], { env });
      expect(again.json(), again.stderr).toMatchObject({ state: 'nothing to do' });
    },
  );
});
