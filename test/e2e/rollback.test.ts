import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONFIG, TREE } from '../../lab/files.ts';
import { plainName } from '../../src/core/image.ts';
import { parseRecord } from '../../src/drift/record.ts';
import { agentOn, valuesWithMtu } from '../support/agents.ts';
import { ciliumship, type Ended } from '../support/cli.ts';
import { newestRevision } from '../support/helm-secret.ts';
import { helms } from '../support/helms.ts';
import {
  helm4Environment,
  kubectl,
  labEnvironment,
  nodeNamed,
  onNode,
  requireLab,
} from '../support/lab.ts';
import { testFolder } from '../support/folder.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';
import { breakAgent, changeBanner, resetTree } from '../support/tree.ts';

const missing = await missingPart('the lab', requireLab);
const tooLong = onlyInAll('agents are replaced twice more');
const helm3 = labEnvironment();

async function imageOn(node: string): Promise<string | undefined> {
  return (await agentOn(node)).split(' ')[2];
}

async function deployMtu(mtu: number, env: NodeJS.ProcessEnv): Promise<Ended> {
  return ciliumship(['deploy', '--values', valuesWithMtu(mtu)], { env });
}

async function mtus(): Promise<readonly string[]> {
  const checks = await ciliumship(['validate', '-o', 'json'], { env: helm3 });
  return (checks.json() as readonly { check: string; found: string }[])
    .filter(({ check }) => check === 'MTU of cilium_vxlan')
    .map(({ found }) => found);
}

async function configMap(name: string): Promise<Readonly<Record<string, string>>> {
  const found = await kubectl('-n', 'kube-system', 'get', 'cm', name, '-o', 'json');
  return (JSON.parse(found) as { data: Record<string, string> }).data;
}

const AUDIT = '/var/log/k3s-audit.log';

async function auditLines(): Promise<number> {
  return Number(await onNode(nodeNamed('master'), 'sh', '-c', `wc -l < ${AUDIT}`));
}

/** Who deleted agents since a line of the API server's audit log, but for kubelets, which clean up. */
async function agentsDeletedSince(line: number): Promise<readonly string[]> {
  const text = await onNode(nodeNamed('master'), 'tail', '-n', `+${line + 1}`, AUDIT);
  const events = text.split('\n').filter((each) => each !== '');
  return events
    .map((each) => JSON.parse(each) as AuditEvent)
    .filter(({ verb, requestURI }) => verb === 'delete' && AN_AGENT.test(requestURI))
    .map(({ user }) => user.username)
    .filter((name) => !name.startsWith('system:node:'));
}

const AN_AGENT = /\/namespaces\/kube-system\/pods\/cilium-[a-z0-9]{5}(?:\?|$)/;

interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string };
}

/** What containers of the worker wrote, from the evidence that a failed rollout names. */
function savedLogs({ stderr }: Ended): string {
  const [, name = ''] = /evidence: .*?(\.ciliumship\/evidence\/\S+)/.exec(stderr) ?? [];
  const folder = join(dirname(CONFIG), name, 'worker');
  const logs = globSync('**/cilium-agent*.log', { cwd: folder });
  return logs.map((log) => readFileSync(join(folder, log), 'utf8')).join('\n');
}

describe.skipIf(missing !== undefined).each(helms())(
  'a rollout that goes wrong, with $name',
  (helm) => {
    const { env } = helm;

    beforeAll(helm.begin);
    afterAll(async () => {
      await resetTree();
      const ended = await ciliumship(['ship'], { env });
      expect(ended.code, ended.stderr).toBe(0);
      await helm.end();
    });

    it('D23: is undone when the gate says no about the canary, also by Helm 4', async () => {
      const before = await agentOn('master');
      const gate = 'echo "no thanks, $CILIUMSHIP_NODE"; exit 3';
      const deploy = ['deploy', '--values', valuesWithMtu(1390), '--gate', gate];
      const ended = await ciliumship(deploy, { env: helm4Environment() });
      expect(ended.code, ended.stderr).toBe(9);
      expect(ended.stderr).toContain('worker: the gate said no with exit code 3');
      expect(ended.stderr).toContain('no thanks, worker');
      expect(await agentOn('master')).toBe(before);
    });

    it('and was killed after the canary is named, and finished by the next run', async () => {
      const before = await agentOn('master');
      const values = valuesWithMtu(1390);
      const signalAt = { text: 'replace the agent on master', signal: 'SIGKILL' } as const;
      await ciliumship(['deploy', '--values', values], { env, signalAt });
      const status = await ciliumship(['status'], { env });
      expect(status.stderr).toMatch(/the rollout of revision \d+ was not finished/);
      const ended = await ciliumship(['deploy', '--values', values], { env });
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr).toContain('it is finished now');
      expect(await agentOn('master')).not.toBe(before);
      expect(await mtus()).toEqual(['1390', '1390']);
    });

    it('is taken back on request, to what ran before; what a node lost is shipped from the store first', async () => {
      const image = (await imageOn('worker')) ?? '';
      const names = [image, plainName(image)];
      await onNode(nodeNamed('worker'), 'k3s', 'ctr', 'images', 'rm', '--sync', ...names);
      const elsewhere = { ...env, XDG_CACHE_HOME: testFolder() };
      const refused = await ciliumship(['rollback'], { env: elsewhere });
      expect(refused.code, refused.stderr).toBe(8);
      expect(refused.stderr).toContain(`worker: ${image}: the node does not have it`);
      expect(refused.stderr).toMatch(/next: ship what revision \d+ was made from/);
      const planned = await ciliumship(['rollback', '--dry-run'], { env });
      expect(planned.code, planned.stderr).toBe(0);
      const ended = await ciliumship(['rollback'], { env });
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr).toContain(
        `worker lacks ${image}; it is shipped from the blob store first`,
      );
      expect(ended.stderr).not.toContain('master lacks');
      expect(await mtus()).toEqual(['1400', '1400']);
      // What drift compares with is what runs again, in the revision that Helm made of it.
      const record = parseRecord(await configMap('ciliumship-cilium'));
      expect(record?.release.revision).toBe(await newestRevision());
      expect(record?.manifest).toMatch(/^ *mtu: "1400"$/m);
      expect(Object.keys(await configMap('ciliumship-cilium-nodes'))).toContain(
        `revision-${await newestRevision()}`,
      );
    });

    it.skipIf(tooLong !== undefined)(
      'F40: goes back one node at a time to a revision of somebody’s own Helm, whose DaemonSet may replace two at once',
      async () => {
        const chart = join(TREE, 'install/kubernetes/cilium');
        const two = ['--set', 'updateStrategy.rollingUpdate.maxUnavailable=2'];
        const own = { ...env, PATH: `${dirname(helm.program)}:${env['PATH']}` };
        const upgrade = ['upgrade', 'cilium', chart, '-n', 'kube-system', '--reuse-values', ...two];
        await execa(helm.program, upgrade, { env: own });
        const [target, image] = [await newestRevision(), await imageOn('worker')];
        const from = await auditLines();
        const gate = '[ "$CILIUMSHIP_NODE" = worker ]';
        const deploy = ['deploy', '--values', valuesWithMtu(1370), '--gate', gate];
        const ended = await ciliumship(deploy, { env });
        expect(ended.code, ended.stderr).toBe(9);
        expect(ended.stderr).toContain('master: the gate said no');
        expect(ended.stderr).toContain(`revision ${target} lets its DaemonSet choose`);
        const by = await agentsDeletedSince(from);
        // Both nodes there and back, and not one by the controller.
        expect(by).toEqual(Array.from({ length: 4 }, () => 'system:admin'));
        expect(await imageOn('worker')).toBe(image);
        expect(await mtus()).toEqual(['1400', '1400']);
        const strategy = ['get', 'ds', 'cilium', '-o', 'jsonpath={.spec.updateStrategy}'];
        expect(JSON.parse(await kubectl('-n', 'kube-system', ...strategy))).toMatchObject({
          type: 'RollingUpdate',
          rollingUpdate: { maxUnavailable: 2 },
        });
      },
    );

    it('F44: is refused to the second of two at once', async () => {
      const both = await Promise.all([deployMtu(1380, env), deployMtu(1380, env)]);
      expect(both.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 11]);
      expect(both.find(({ code }) => code === 11)?.stderr).toMatch(
        /\(process \d+\) is rolling out/,
      );
    });

    it.skipIf(tooLong !== undefined)(
      'and is taken back by a rollback that is interrupted, ends in what that was to bring when it is typed again',
      async () => {
        const [was] = await mtus();
        const signalAt = {
          text: 'Roll back: replace the agent on master',
          signal: 'SIGINT',
        } as const;
        const cut = await ciliumship(['rollback'], { env, signalAt });
        expect(cut.code, cut.stderr).toBe(130);
        const [, again = ''] =
          /finish it with ciliumship (rollback --to \d+)/.exec(cut.stderr) ?? [];
        expect(again, cut.stderr).not.toBe('');
        const status = await ciliumship(['status'], { env });
        expect(status.stderr).toContain(`was not finished; finish it: ciliumship ${again}, or`);
        const ended = await ciliumship(['rollback'], { env });
        expect(ended.code, ended.stderr).toBe(0);
        expect(ended.stderr).toMatch(
          /the rollback to revision \d+ was not finished; it is finished now/,
        );
        expect(ended.stdout).toContain(`revision ${again.split(' ').at(-1)} runs again`);
        const now = await mtus();
        expect(now[0]).not.toBe(was);
        expect(new Set(now).size).toBe(1);
      },
    );

    it.skipIf(tooLong !== undefined)(
      'and left an agent down is mended there first, whichever node is the canary',
      async () => {
        breakAgent('the old wheel is broken');
        const broken = ['ship', '--no-rollback', '--canary', 'master', '--timeout', '20s'];
        const left = await ciliumship(broken, { env });
        expect(left.code, left.stderr).toBe(10);
        await resetTree();
        // Not the image that the worker still runs: its agent is to be replaced as well.
        changeBanner('mended');
        const ended = await ciliumship(['ship'], { env });
        expect(ended.code, ended.stderr).toBe(0);
        expect(ended.stderr).toContain(
          'master comes before the canary worker: its agent does not work',
        );
        const turns = [...ended.stderr.matchAll(/Roll out: replace the agent on (\w+) …/g)];
        expect(turns.map(([, node]) => node)).toEqual(['master', 'worker']);
      },
    );

    // The last one: the images that Docker has after it are the broken ones.
    it('F40, D23: of an agent that crashes is undone: the canary runs the old image, the other node never knew', async () => {
      const [before, image] = [await agentOn('master'), await imageOn('worker')];
      breakAgent('the new wheel is broken');
      const ended = await ciliumship(['ship', '--timeout', '20s'], { env });
      expect(ended.code, ended.stderr).toBe(9);
      expect(ended.stderr).toContain('worker: the new agent was');
      expect(ended.stderr).toContain('the new wheel is broken');
      expect(await agentOn('master')).toBe(before);
      expect(await imageOn('worker')).toBe(image);
      expect(savedLogs(ended)).toContain('the new wheel is broken');
    });
  },
);
