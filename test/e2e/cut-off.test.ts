import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentOn, changedValues } from '../support/agents.ts';
import { ciliumship } from '../support/cli.ts';
import { helms } from '../support/helms.ts';
import { requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';

const missing =
  onlyInAll('a kubelet that was cut off takes its time, two minutes') ??
  (await missingPart('the lab', requireLab));

describe.skipIf(missing !== undefined).each(helms())(
  'a node that its own XDP program cuts off, with $name',
  (helm) => {
    const { env } = helm;

    beforeAll(helm.begin);
    afterAll(async () => {
      const ended = await ciliumship(['deploy'], { env });
      expect(ended.code, ended.stderr).toBe(0);
      await helm.end();
    });

    it('E1, F40: is freed over SSH and rolled back, and the other node never knew', async () => {
      const before = await agentOn('master');
      const values = changedValues((text) => `${text}extraConfig: { xdp-drop: "true" }\n`);
      const ended = await ciliumship(['deploy', '--values', values, '--timeout', '10s'], { env });
      expect(ended.code, ended.stderr).toBe(9);
      expect(ended.stderr).toContain('worker: the new agent was not ready after 10 s');
      expect(ended.stderr).toContain('worker was cut off by its own programs');
      expect(await agentOn('master')).toBe(before);
      const checks = await ciliumship(['validate', '--wait', '--timeout', '30s'], { env });
      expect(checks.code, `${checks.stdout}${checks.stderr}`).toBe(0);
    });

    it('E1, F40: and was left so is freed and taken back by rollback, while pods have no network', async () => {
      const before = await agentOn('master');
      const values = changedValues((text) => `${text}extraConfig: { xdp-drop: "true" }\n`);
      const deploy = ['deploy', '--values', values, '--timeout', '10s', '--no-rollback'];
      const left = await ciliumship(deploy, { env });
      expect(left.code, left.stderr).toBe(10);
      expect(left.stderr).toContain('left as it is');
      const ended = await ciliumship(['rollback'], { env });
      expect(ended.code, ended.stderr).toBe(0);
      expect(await agentOn('master')).toBe(before);
      const checks = await ciliumship(['validate', '--wait', '--timeout', '30s'], { env });
      expect(checks.code, `${checks.stdout}${checks.stderr}`).toBe(0);
    });
  },
);
