import { describe, expect, test } from 'vitest';
import { checkReach } from '../../../src/cluster/reach.ts';
import { fakeNode, type Answer } from '../../support/fake-node.ts';

const NEVER = new AbortController().signal;
const WORKER = {
  name: 'worker',
  ssh: 'worker',
  role: 'agent',
  dataInterface: 'eth1',
  dataAddress: '10.4.100.2/16',
  devices: [],
} as const;
const MASTER = { ...WORKER, name: 'master', role: 'server', dataAddress: '10.4.100.1/16' } as const;

/** What the worker says of the master, by the first word of the command. */
async function seen(answers: Readonly<Record<string, Answer>>): Promise<readonly string[]> {
  const node = fakeNode(
    (command) => answers[command.replace('env LC_ALL=C ', '').split(' ')[0] ?? ''],
  );
  const checks = await checkReach(WORKER, MASTER, node, NEVER);
  return checks.map(({ state, found }) => `${state}: ${found}`);
}

describe('the way from one node to another', () => {
  test('is open where the ping is answered; nobody knows of a datagram that nobody refused', async () => {
    expect(await seen({})).toEqual(['ok: answers', 'ok: open', 'unknown: no answer']);
  });

  test('is told with the state of the neighbour where no ping is answered', async () => {
    const neighbour = '[{"dst":"10.4.100.1","dev":"eth1","state":["FAILED"]}]';
    const stderr = 'bash: line 1: echo: write error: Connection refused';
    const answers = { ping: { code: 1 }, ip: neighbour, timeout: { code: 1, stderr } };
    expect(await seen(answers)).toEqual([
      'failed: no answer, neighbour FAILED',
      'failed: blocked, refused: nobody listens, or a firewall rejects',
      'ok: refused: nobody listens, or a firewall rejects',
    ]);
    expect((await seen({ ...answers, ip: '[ ]' }))[0]).toBe('failed: no answer, neighbour unknown');
  });

  test('is unknown where no port answers in time', async () => {
    const states = await seen({ timeout: { code: 124 } });
    expect(states.slice(1)).toEqual(['unknown: no answer', 'unknown: no answer']);
  });

  test('is not taken for one that datagrams get through when the network knows no way', async () => {
    const states = await seen({ timeout: { code: 1, stderr: 'bash: connect: No route to host' } });
    expect(states.slice(1)).toEqual(['failed: blocked, no way there', 'unknown: no way there']);
  });

  test('is unknown, and no failure, where ping or bash are missing or fail for another reason', async () => {
    const missing = { code: 127, stderr: 'timeout: failed to run command: No such file' };
    expect(await seen({ ping: missing, timeout: missing })).toEqual([
      'unknown: not tried: no ping there, neighbour unknown',
      'unknown: no answer',
      'unknown: no answer',
    ]);
    const broken = { code: 1, stderr: 'bash: /dev/udp/10.4.100.1/8472: No such file or directory' };
    expect((await seen({ timeout: broken })).slice(1)).toEqual([
      'unknown: no answer',
      'unknown: no answer',
    ]);
  });
});
