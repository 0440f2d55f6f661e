import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { saveEvidence } from '../../../src/commands/shared/evidence.ts';
import type { Fleet } from '../../../src/commands/shared/fleet.ts';
import { ShipError } from '../../../src/core/errors.ts';
import type { Session } from '../../../src/system/ssh/session.ts';
import { testContext } from '../../support/context.ts';
import { agent, clusterThat } from '../../support/fake-cluster.ts';
import { fakeNode, type Answer } from '../../support/fake-node.ts';
import { testFolder } from '../../support/folder.ts';

const FAILURE = new ShipError('deploy', 'worker-1: the new agent was given up');
const SECRET = 'hunter2-hunter2';

/** Saves what a node shows that answers as it is told, and the agent on it. */
async function save(
  answer: (command: string) => Answer | undefined,
  evidence = podFiles,
  own = testFolder(),
) {
  const { context } = testContext(own);
  const session = fakeNode(answer) as Partial<Session> as Session;
  const fleet: Fleet = {
    sessions: new Map([['worker', session]]),
    failures: new Map(),
    [Symbol.asyncDispose]: async () => undefined,
  };
  const nodes = new Map([['worker-1', [agent('cilium-1')]]]);
  const scene = { cluster: clusterThat({ evidence }), namespace: 'kube-system', nodes };
  const folder = await saveEvidence(context, fleet, scene, FAILURE);
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return { folder, read };
}

async function podFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([['cilium-agent.log', `started with ${SECRET}`]]);
}

test('evidence holds the reason, what the node shows and what the agent wrote', async () => {
  const { read } = await save((command) => (command === 'bpftool -j net' ? '[{"xdp":[]}]' : ''));
  expect(read('error.txt')).toContain(FAILURE.message);
  expect(read('worker-1/bpf-net.json')).toBe('[{"xdp":[]}]');
  expect(read('worker-1/cilium-1/cilium-agent.log')).toContain('started with');
});

test('evidence has no secrets, and nobody else may read it', async () => {
  const { folder } = await save(() => `a line with ${SECRET}`);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  expect(files).toHaveLength(10);
  for (const { parentPath, name } of files) {
    const file = join(parentPath, name);
    expect(statSync(file).mode & 0o777, name).toBe(0o600);
    expect(readFileSync(file, 'utf8'), name).not.toContain(SECRET);
  }
});

test('a probe that fails says why in its own file, and the others are kept', async () => {
  const refused = new ShipError('network', 'worker: the connection was lost');
  const { read } = await save((command) => (command === 'dmesg' ? refused : 'answered'));
  expect(read('worker-1/kernel.log')).toContain('the connection was lost');
  expect(read('worker-1/links.json')).toBe('answered');
});

test('an API server that does not answer does not hide the reason', async () => {
  const { read } = await save(
    () => 'answered',
    async () => {
      throw new ShipError('network', 'the API server does not answer');
    },
  );
  expect(read('error.txt')).toContain(FAILURE.message);
});

test('evidence is not written through a link that a repository put in its place', async () => {
  const [own, precious] = [testFolder(), testFolder()];
  mkdirSync(join(own, '.ciliumship'));
  symlinkSync(precious, join(own, '.ciliumship', 'evidence'));
  await expect(save(() => 'answered', podFiles, own)).rejects.toThrow('evidence is a link');
  expect(readdirSync(precious)).toEqual([]);
});
