import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Context } from '../../../src/commands/command.ts';
import type { DeployFlags } from '../../../src/commands/shared/deploy-flags.ts';
import type { Fleet } from '../../../src/commands/shared/fleet.ts';
import { judgeOf } from '../../../src/commands/shared/judge.ts';
import type { Rollout } from '../../../src/commands/shared/rollout.ts';
import { ShipError } from '../../../src/core/errors.ts';
import type { Pod } from '../../../src/deploy/cluster.ts';
import type { Session } from '../../../src/system/ssh/session.ts';
import { testContext } from '../../support/context.ts';
import { agent, clusterThat, configNode } from '../../support/fake-cluster.ts';
import { testFolder } from '../../support/folder.ts';

const NEW = agent('cilium-new');
const OTHER = agent('cilium-other', { node: 'master' });
const STATUS = { cilium: { state: 'Ok' }, kubernetes: { state: 'Ok' } };
const HEALTH = {
  local: { name: 'worker' },
  nodes: [{ name: 'master', host: { 'primary-address': { http: { status: '' } } } }],
};

/** What the agent answers to each of the two programs; an error is thrown. */
interface Answers {
  readonly status: () => object | Error;
  readonly health: () => object | Error;
}

const WELL: Answers = { status: () => STATUS, health: () => HEALTH };

interface Scene {
  readonly answers?: Partial<Answers>;
  readonly agents?: readonly Pod[];
  readonly config?: Readonly<Record<string, string>>;
  /** Of a command on the node. */
  readonly run?: Session['run'];
  readonly restored?: () => void;
}

const FINE: Session['run'] = async () => ({ code: 0, stdout: '[]', stderr: '' });

let clock = 0;

/** Judges the new agent of node worker. Each look takes 16 s of the 30 that there are. */
async function judge({ answers, agents = [NEW, OTHER], config = {}, run = FINE, restored }: Scene) {
  const says = { ...WELL, ...answers };
  const cluster = clusterThat({
    configMap: async () => config,
    workload: async () => undefined,
    pods: async () => {
      clock += 16_000;
      return agents;
    },
    exec: async (_, __, ___, [program]) => {
      const answer = program === 'cilium-health' ? says.health() : says.status();
      if (answer instanceof Error) throw answer;
      return JSON.stringify(answer);
    },
  });
  const { context: base } = testContext(testFolder());
  const nodes = [configNode('master', { role: 'server' }), configNode('worker')];
  const context: Context<DeployFlags> = { ...base, config: { ...base.config, nodes } };
  const session = { node: 'worker', run, restore: async () => restored?.() } as unknown as Session;
  const fleet: Fleet = {
    sessions: new Map([['worker', session]]),
    failures: new Map(),
    [Symbol.asyncDispose]: async () => undefined,
  };
  const rollout = { cluster, namespace: 'kube-system', images: [] } as unknown as Rollout;
  const judged = await judgeOf(context, fleet, rollout);
  return judged(NEW, { signal: context.signal, progress: () => undefined }).then(
    () => 'proved',
    (error: unknown) => error,
  );
}

beforeEach(() => {
  clock = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => clock);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const broken = new ShipError('deploy', 'cilium-new: cilium-health status failed');

describe('F40: a new agent', () => {
  test('that says that all is well is proved', async () => {
    expect(await judge({})).toBe('proved');
  });

  test('whose health nobody can ask for is not proved, and names what to type', async () => {
    expect(await judge({ answers: { health: () => broken } })).toMatchObject({
      kind: 'deploy',
      message: 'worker: other nodes: unknown: cilium-health does not say',
      details: [
        expect.stringContaining(
          'kubectl -n kube-system exec cilium-new -c cilium-agent -- cilium-health status --probe',
        ) as string,
      ],
    });
  });

  test('that does not answer at all is not proved', async () => {
    const answers = { status: () => broken, health: () => broken };
    expect(await judge({ answers })).toMatchObject({
      kind: 'deploy',
      message: expect.stringMatching(
        /^worker: state of the agent: unknown: the agent does not answer; API server from the agent: unknown: .*; other nodes: unknown/,
      ) as string,
    });
  });

  test('that calls itself broken is not proved', async () => {
    const status = () => ({ ...STATUS, cilium: { state: 'Failure' } });
    expect(await judge({ answers: { status } })).toMatchObject({
      message: 'worker: state of the agent: Failure, not Ok',
    });
  });

  test('that says nothing of the API server is not proved', async () => {
    const status = () => ({ cilium: { state: 'Ok' } });
    expect(await judge({ answers: { status } })).toMatchObject({
      message: 'worker: API server from the agent: unknown: the agent does not say',
    });
  });

  test('whose health comes up later is proved then', async () => {
    let asked = 0;
    const health = () => ((asked += 1) > 1 ? HEALTH : broken);
    expect(await judge({ answers: { health } })).toBe('proved');
    expect(asked).toBe(2);
  });

  test.each<[string, Scene]>([
    ['is the only one', { agents: [NEW] }],
    ['has others that are not ready', { agents: [NEW, { ...OTHER, ready: false }] }],
    ['was told not to ask others', { config: { 'enable-health-checking': 'false' } }],
  ])('that %s need not say how it finds others', async (_, scene) => {
    expect(await judge({ ...scene, answers: { health: () => broken } })).toBe('proved');
  });

  test('of a node whose connection was lost meanwhile is judged over a new one', async () => {
    let alive = false;
    const lost = new ShipError('network', 'worker: the connection was lost');
    const run: Session['run'] = async (...of) => {
      if (!alive) throw lost;
      return FINE(...of);
    };
    const restored = (): void => void (alive = true);
    expect(await judge({ run, restored })).toBe('proved');
  });

  test('of a node that stays away is not proved', async () => {
    const lost = new ShipError('network', 'worker: the connection was lost');
    expect(await judge({ run: async () => Promise.reject(lost) })).toBe(lost);
  });
});
