import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentOn, agents, valuesWithMtu } from '../support/agents.ts';
import { ciliumship } from '../support/cli.ts';
import { ageRelease, newestRevision } from '../support/helm-secret.ts';
import { helms } from '../support/helms.ts';
import { kubectl, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll, until } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const tooLong = onlyInAll(
  'twelve rollouts with Helm 3 and with Helm 4; a frozen API server is given up after 30 s, a Helm after two minutes',
);
const MASTER = nodeNamed('master');

/** Ends the API server, and keeps K3s from starting it again. */
async function takeAway(): Promise<void> {
  await onNode(MASTER, 'systemctl', 'kill', '--kill-whom=main', '-s', 'STOP', 'k3s');
  await onNode(MASTER, 'pkill', '-KILL', '-x', 'kube-apiserver');
}

/** Ends the API server; K3s starts it again at once. */
async function blink(): Promise<void> {
  await onNode(MASTER, 'pkill', '-KILL', '-x', 'kube-apiserver');
}

/** Nobody gets through to the API server, or everybody again. */
async function refuse(how: '-I' | '-D'): Promise<void> {
  const reset = ['-j', 'REJECT', '--reject-with', 'tcp-reset'];
  await onNode(MASTER, 'iptables', how, 'INPUT', '-p', 'tcp', '--dport', '6443', ...reset);
}

/** Takes the API server away for 3 s again and again, and lets it answer for as long. @returns how often */
async function comeAndGo(enough: () => Promise<boolean>): Promise<number> {
  let times = 0;
  do {
    await refuse('-I');
    await sleep(3000);
    await refuse('-D');
    times += 1;
    await sleep(3000);
  } while (times < 40 && !(await enough()));
  return times;
}

/** Stops the API server where it stands, or lets it go on. */
async function freeze(signal: 'STOP' | 'CONT'): Promise<void> {
  await onNode(MASTER, 'pkill', `-${signal}`, '-x', 'kube-apiserver');
}

/** Lets K3s go on, which begins anew then. */
async function giveBack(): Promise<void> {
  await onNode(MASTER, 'systemctl', 'kill', '--kill-whom=main', '-s', 'CONT', 'k3s');
}

async function answers(): Promise<void> {
  // A kubelet may wait for a minute before it asks again what it is to do; started anew it asks at once.
  await onNode(nodeNamed('worker'), 'systemctl', 'restart', 'k3s-agent');
  await until('both nodes are ready', 90, async () => {
    const path = '{.items[*].status.conditions[?(@.type=="Ready")].status}';
    const said = await kubectl('get', 'nodes', '-o', `jsonpath=${path}`).catch(() => '');
    return said === 'True True';
  });
}

const FROZEN = { how: 'frozen', begin: () => freeze('STOP'), end: () => freeze('CONT') } as const;
const GONE = { how: 'gone', begin: takeAway, end: giveBack } as const;

const UNCHANGED = { code: 5, said: 'the release was not changed' } as const;
const UNKNOWN = { code: 10, said: 'does not answer' } as const;
const STAGES = [
  { when: 'before anything', text: 'Connect: connect to master …', ...UNCHANGED },
  { when: 'at the gate', text: 'Gate: look what master has …', ...UNCHANGED },
  { when: 'while Helm applies', text: 'Helm: helm upgrade cilium …', ...UNKNOWN },
  { when: 'at the canary', text: 'Roll out: replace the agent on worker …', ...UNKNOWN },
  { when: 'at the second node', text: 'Roll out: replace the agent on master …', ...UNKNOWN },
  { when: 'at the end', text: 'Finish: helm upgrade cilium …', ...UNKNOWN },
] as const;

describe.skipIf(missing !== undefined).each(helms())('an API server, with $name', (helm) => {
  const { env } = helm;

  beforeAll(helm.begin);
  afterAll(async () => {
    const ended = await ciliumship(['deploy'], { env });
    expect(ended.code, ended.stderr).toBe(0);
    await helm.end();
  });

  it('F36, F41: that goes away after the canary was taken leaves a state that is named, and undone later', async () => {
    const before = await agentOn('master');
    const deploy = ['deploy', '--values', valuesWithMtu(1390), '--timeout', '5s'];
    const actAt = { text: 'Roll out: replace the agent on worker …', act: takeAway };
    const ended = await ciliumship(deploy, { env, actAt });
    const gone = await ciliumship(['deploy'], { env });
    await giveBack();
    await answers();
    expect(ended.code, ended.stderr).toBe(10);
    expect(ended.stderr).toContain('undoing it failed');
    expect(ended.stderr).toContain('the API server does not answer; Helm was at a new revision');
    expect(ended.stderr).toMatch(/by hand: helm rollback cilium \d+ -n kube-system/);
    expect(ended.stderr).toMatch(/next: ciliumship rollback --to \d+/);
    expect(gone.code, gone.stderr).toBe(5);
    expect(gone.stderr).toContain('the release was not changed');
    const undone = await ciliumship(['rollback'], { env });
    expect(undone.code, undone.stderr).toBe(0);
    expect(undone.stderr).toMatch(/the rollout of revision \d+ was not finished; it is undone now/);
    expect(await agentOn('master')).toBe(before);
  });

  it.skipIf(tooLong !== undefined).each(['worker', 'master'])(
    'F36: that is away for a moment while %s gets its agent undoes nothing: its answers are asked for again',
    async (node) => {
      const before = await agentOn(node);
      const mtu = node === 'worker' ? 1390 : 1380;
      const deploy = ['deploy', '--values', valuesWithMtu(mtu)];
      const text = `Roll out: replace the agent on ${node} …`;
      const ended = await ciliumship(deploy, { env, actAt: { text, act: blink } });
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr).toMatch(/tried again for \d+ s/);
      expect(await agentOn(node)).not.toBe(before);
      const checks = await ciliumship(['validate', '--wait', '--timeout', '1m'], { env });
      expect(checks.code, `${checks.stdout}${checks.stderr}`).toBe(0);
    },
  );

  it.skipIf(tooLong !== undefined)(
    'F36: that comes and goes from the canary to the last node undoes nothing',
    async () => {
      const [master, worker] = await agents();
      let times = 0;
      const act = async (): Promise<void> => {
        // Between two agents there is none to ask for.
        const now = (): Promise<string | undefined> => agentOn('master').catch(() => master);
        times = await comeAndGo(async () => (await now()) !== master);
      };
      const actAt = { text: 'Roll out: replace the agent on worker …', act };
      const deploy = ['deploy', '--values', valuesWithMtu(1370)];
      const ended = await ciliumship(deploy, { env, actAt });
      expect(ended.code, ended.stderr).toBe(0);
      expect(times).toBeGreaterThan(2);
      expect(await agentOn('worker')).not.toBe(worker);
      const checks = await ciliumship(['validate', '--wait', '--timeout', '1m'], { env });
      expect(checks.code, `${checks.stdout}${checks.stderr}`).toBe(0);
    },
  );

  it
    .skipIf(tooLong !== undefined)
    .each([FROZEN, GONE].flatMap((fault) => STAGES.map((stage) => ({ ...fault, ...stage }))))(
    'F36: that is $how $when is given up, the state is named, and the next run comes to the end',
    async ({ begin, end, text, code, said }) => {
      const before = await agentOn('master');
      const was = await newestRevision();
      const deploy = ['deploy', '--values', valuesWithMtu(1390), '--timeout', '20s'];
      const ended = await ciliumship(deploy, { env, actAt: { text, act: begin } });
      await end();
      await answers();
      expect(ended.code, ended.stderr).toBe(code);
      expect(ended.stderr).toMatch(
        /no answer from the API server|cannot reach|does not answer|did not finish|refuses/,
      );
      expect(ended.stderr).toContain(said);
      expect(ended.stderr).toMatch(/next: /);
      const status = await ciliumship(['status'], { env });
      const begun = (await newestRevision()) !== was;
      const named = /revision \d+ (was not finished|is pending-upgrade since)/;
      expect(named.test(status.stderr), status.stderr).toBe(begun);
      await ageRelease();
      const undone = await ciliumship(['deploy', '--repair-release'], { env });
      expect(undone.code, undone.stderr).toBe(0);
      expect(await agentOn('master')).toContain(before.split(' ')[2]);
      const checks = await ciliumship(['validate', '--wait', '--timeout', '1m'], { env });
      expect(checks.code, `${checks.stdout}${checks.stderr}`).toBe(0);
    },
  );
});
