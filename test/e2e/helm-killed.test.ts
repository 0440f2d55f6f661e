import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changedValues } from '../support/agents.ts';
import { ciliumship } from '../support/cli.ts';
import { ageRelease } from '../support/helm-secret.ts';
import { helmKilledAt, helms } from '../support/helms.ts';
import { requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';
import { randomNumbers, seedOf } from '../support/random.ts';

const missing =
  onlyInAll('20 rollouts and what comes after them with Helm 3 and with Helm 4, 30 minutes') ??
  (await missingPart('the lab', requireLab));
const POINTS = 20;
/** Milliseconds that Helm takes for an upgrade here, and a little more. */
const LONGEST = 1500;

const seed = missing === undefined ? seedOf('helm is killed') : 0;
const random = randomNumbers(seed);
/** Which of the two upgrades of a rollout, and how long after its start. */
const points = Array.from({ length: POINTS }, () => [1 + random(2), random(LONGEST)] as const);

/** What is said with each exit code; 0 when Helm was faster, or had nothing to change. */
const SAID: Readonly<Record<number, RegExp>> = {
  0: /Gate/,
  5: /the release was not changed/,
  9: /runs again on every node/,
  10: /next: .*ciliumship/,
};

describe.skipIf(missing !== undefined).each(helms())('$name that is killed', (helm) => {
  const { env } = helm;

  beforeAll(helm.begin);
  afterAll(async () => {
    const ended = await ciliumship(['deploy', '--repair-release'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    await helm.end();
  });

  it.each(points)(
    'F38: in upgrade %i after %i ms is undone or named, and the next run comes to the end',
    async (upgrade, after) => {
      const other = random(2) === 0 ? 1380 : 1390;
      const values = changedValues((text) => text.replace('MTU: 1400', `MTU: ${other}`));
      const deploy = ['deploy', '--values', values];
      const killed = await ciliumship(deploy, { env: helmKilledAt(helm, upgrade, after) });
      expect(Object.keys(SAID), killed.stderr).toContain(String(killed.code));
      expect(killed.stderr).toMatch(SAID[killed.code] ?? '');
      if (killed.code === 10) await ageRelease();
      const again = await ciliumship([...deploy, '--repair-release'], { env });
      expect(again.code, again.stderr).toBe(0);
      const checks = await ciliumship(['validate', '--wait', '--timeout', '1m'], { env });
      expect(checks.code, `${checks.stdout}${checks.stderr}`).toBe(0);
    },
  );
});
