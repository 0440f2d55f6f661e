import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { ageRelease } from '../support/helm-secret.ts';
import { helms } from '../support/helms.ts';
import { kubectl, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll, until } from '../support/parts.ts';
import {
  killedFirstInstall,
  killedRemoval,
  killUninstall,
  killUpgrade,
  type OtherRelease,
} from '../support/stuck-release.ts';
import { openTerminal, requireTmux } from '../support/tmux.ts';

const missing = await missingPart('the lab', requireLab);
const noTerminal = await missingPart('tmux', requireTmux);
const tooLong = onlyInAll('Cilium is removed and installed anew');
const REPAIR = ['deploy', '--repair-release'];

/** Answers the question of a deploy at a terminal, and waits for its exit code. */
async function answered({ env: own }: OtherRelease, answer: string, code: number): Promise<string> {
  const terminal = await openTerminal('ciliumship deploy; echo "exit $?"', 160, own);
  const shows = (what: RegExp): Promise<unknown> =>
    until(String(what), 90, async () => what.test(await terminal.text()));
  await shows(/apply revision 1 again\? type first:/);
  await terminal.answer(answer);
  await shows(new RegExp(`exit ${code}`));
  return terminal.text();
}

/** A time of every object of a kind, the earliest first. */
async function times(kind: string, field: string, ...more: readonly string[]): Promise<string[]> {
  const path = `jsonpath={.items[*].${field}}`;
  const said = await kubectl('-n', 'kube-system', 'get', kind, ...more, '-o', path);
  return said.split(' ').toSorted();
}

describe.skipIf(missing !== undefined).each(helms())(
  'a release that a killed $name left',
  (helm) => {
    const { env } = helm;

    beforeAll(helm.begin);
    afterAll(helm.end);

    it('E8, F38: in the middle of an upgrade is shown, and repaired on request only, once no Helm can be at it', async () => {
      await killUpgrade(helm);
      const early = await ciliumship(REPAIR, { env });
      expect(early.code, early.stderr).toBe(10);
      expect(early.stderr).toContain('a Helm may still be at it');
      await ageRelease();
      const planned = await ciliumship([...REPAIR, '--dry-run'], { env });
      expect(planned.code, planned.stderr).toBe(10);
      expect(planned.stderr).toMatch(/helm rollback cilium \d+ -n kube-system/);
      expect(planned.stderr).toContain('nothing more can be planned before it is repaired');
      const refused = await ciliumship(['deploy'], { env });
      expect(refused.code, refused.stderr).toBe(10);
      expect(refused.stderr).toMatch(/revision \d+ is pending-upgrade since 2026-01-01T00:00:00Z/);
      expect(refused.stderr).toContain('ciliumship deploy --repair-release');
      const ended = await ciliumship(REPAIR, { env });
      expect(ended.code, ended.stderr).toBe(0);
      const checks = await ciliumship(['validate'], { env });
      expect(checks.code, `${checks.stdout}${checks.stderr}`).toBe(0);
    });

    it('E8: in the middle of its removal is shown, and removed on request only, once no Helm can be at it', async () => {
      await using release = await killedRemoval(helm);
      const early = await ciliumship(REPAIR, { env: release.env });
      expect(early.code, early.stderr).toBe(10);
      expect(early.stderr).toContain('a Helm may still be at it');
      await ageRelease('first', 'default');
      const stuck = 'release first: revision 1 is uninstalling since 2026-01-01T00:00:00Z';
      const status = await ciliumship(['status'], { env: release.env });
      expect(status.stderr).toContain(stuck);
      const refused = await ciliumship(['deploy'], { env: release.env });
      expect(refused.code, refused.stderr).toBe(10);
      expect(refused.stderr).toContain(stuck);
      expect(refused.stderr).toContain('ciliumship deploy --repair-release');
      expect(await release.status()).toBe('uninstalling');
      const ended = await ciliumship(REPAIR, { env: release.env });
      // What comes after it is Helm's: Cilium is of another release here.
      expect(ended.code, ended.stderr).toBe(2);
      expect(ended.stderr).toContain('helm uninstall first');
      expect(ended.stderr).toContain('cannot be imported into the current release');
      expect(await release.status()).toBeUndefined();
    });

    it('F39: of which nothing was ever finished is never repaired unasked', async () => {
      await using release = await killedFirstInstall(helm);
      const early = await ciliumship(REPAIR, { env: release.env });
      expect(early.code, early.stderr).toBe(10);
      expect(early.stderr).toContain('a Helm may still be at it');
      await ageRelease('first', 'default');
      const ended = await ciliumship(REPAIR, { env: release.env });
      expect(ended.code, ended.stderr).toBe(10);
      expect(ended.stderr).toContain(
        'release first: revision 1 is pending-install since 2026-01-01',
      );
      expect(ended.stderr).toContain('helm uninstall first -n default');
      expect(await release.status()).toBe('pending-install');
    });

    it.skipIf(noTerminal !== undefined)(
      'F39: of which nothing was ever finished is repaired by who types its name at a terminal, and by nobody else',
      async () => {
        await using release = await killedFirstInstall(helm);
        await ageRelease('first', 'default');
        const no = await answered(release, 'no', 10);
        expect(no).toContain('pending-install since 2026-01-01T00:00:00Z: not repaired');
        expect(await release.status()).toBe('pending-install');
        const yes = await answered(release, 'first', 2);
        expect(yes).toMatch(/Repair +revision 1 again/);
        expect(await release.status()).toBe('deployed');
      },
    );

    it.skipIf(tooLong !== undefined)(
      'E8: and that is Cilium’s own is removed to the end and installed anew',
      async () => {
        await killUninstall(helm);
        await kubectl('-n', 'kube-system', 'delete', 'ciliumnodeconfigs', '--all');
        await ageRelease();
        const status = await ciliumship(['status'], { env });
        expect(status.stderr).toMatch(
          /release cilium: revision \d+ is uninstalling since 2026-01-01/,
        );
        const ended = await ciliumship(REPAIR, { env });
        expect(ended.code, ended.stderr).toBe(0);
        const checks = await ciliumship(['validate', '--wait', '--timeout', '1m'], { env });
        expect(checks.code, `${checks.stdout}${checks.stderr}`).toBe(0);
        // No agent of a first install may start before the devices of its node are known.
        const configured = (await times('ciliumnodeconfigs', 'metadata.creationTimestamp')).at(-1);
        const [started] = await times('pods', 'status.startTime', '-l', 'k8s-app=cilium');
        expect(Date.parse(started ?? '')).toBeGreaterThanOrEqual(Date.parse(configured ?? ''));
      },
    );
  },
);
