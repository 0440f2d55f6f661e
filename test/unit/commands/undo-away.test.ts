import { expect, test } from 'vitest';
import { rollOut } from '../../../src/commands/shared/roll-out.ts';
import { undoing } from '../../../src/commands/shared/undo.ts';
import { exitCode, ShipError } from '../../../src/core/errors.ts';
import type { Cluster, FoundNodeConfig, Helm } from '../../../src/deploy/cluster.ts';
import { FINISHED } from '../../../src/deploy/descriptions.ts';
import type { Session } from '../../../src/system/ssh/session.ts';
import {
  crashing,
  failureOf,
  FLEET,
  NEW,
  patientFor,
  RELEASE,
} from '../../support/failing-rollout.ts';
import { clusterThat, configNode } from '../../support/fake-cluster.ts';

test('F36: a call that is not answered undoes nothing: sessions are restored, and it is made again', async () => {
  const run = await crashing({}, true, NEW);
  const { cluster } = run.rollout;
  const away = new ShipError('network', 'the API server does not answer (list pods)');
  let restored = 0;
  const session = { restore: async () => void (restored += 1) } as unknown as Session;
  const pods: Cluster['pods'] = async (...of) => {
    const begun = run.changes.some((change) => change.startsWith('delete'));
    if (begun && restored === 0) throw away;
    return cluster.pods(...of);
  };
  const { context } = patientFor(5000, run);
  const fleet = { ...FLEET, sessions: new Map([['elsewhere', session]]) };
  const rollout = { ...run.rollout, cluster: clusterThat({ ...cluster, pods }) };
  const revision = await undoing(context, fleet, rollout, () => rollOut(context, fleet, rollout));
  expect(revision).toBe(4);
  expect(restored).toBe(1);
  expect((await run.helm.status(RELEASE))?.description).toBe(FINISHED);
});

test('F36: words of Helm that nobody knows are waited for, and the way back is gone then', async () => {
  const run = await crashing();
  const { helm } = run.rollout;
  let asked = 0;
  const history: Helm['history'] = async (release) => {
    // The first is asked before the rollout.
    if ((asked += 1) === 2) throw new ShipError('deploy', 'helm failed');
    return helm.history(release);
  };
  const error = await failureOf(
    patientFor(5000, { ...run, rollout: { ...run.rollout, helm: { ...helm, history } } }),
  );
  expect(error.message).toMatch(/^worker: the new agent was given up/);
  expect(exitCode(error.kind)).toBe(9);
});

test('D23: --strategy chart sets devices before Helm, and gives them back when Helm refuses', async () => {
  const run = await crashing({ strategy: 'chart' });
  const upgrade = async (): Promise<number> => {
    throw new ShipError('config', 'helm upgrade was refused');
  };
  const had = { name: 'nic', profile: 'nic', defaults: { devices: 'eth0' }, ours: true };
  let configs: readonly FoundNodeConfig[] = [had];
  const set: string[] = [];
  const cluster = clusterThat({
    ...run.rollout.cluster,
    nodeConfigVersion: async () => 'v2',
    nodeConfigs: async () => configs,
    applyNodeConfig: async (_, __, config) => {
      configs = [{ ...config, ours: true }];
      set.push(config.defaults['devices'] ?? '');
    },
  });
  const { config } = run.context;
  const nodes = [
    configNode('master', { role: 'server' }),
    configNode('worker', { profile: 'nic', devices: ['eth1'] }),
  ];
  const context = { ...run.context, config: { ...config, nodes } };
  const helm = { ...run.helm, upgrade };
  const error = await failureOf({ ...run, context, rollout: { ...run.rollout, cluster, helm } });
  expect(error.message).toBe('helm upgrade was refused');
  expect(set).toEqual(['eth1', 'eth0']);
  expect(configs).toEqual([had]);
  expect(run.changes).toEqual([
    'label worker {"hw-profile":"nic"}',
    'label worker {"hw-profile":null}',
  ]);
});
