import { describe, expect, test } from 'vitest';
import { ShipError } from '../../../src/core/errors.ts';
import type { Run } from '../../../src/core/step.ts';
import type { Cluster, Pod } from '../../../src/deploy/cluster.ts';
import { NODE_CONFIG_ANNOTATION } from '../../../src/deploy/node-config.ts';
import { patientCluster } from '../../../src/deploy/patient-cluster.ts';
import { replaceAgentStep, type Replacement } from '../../../src/deploy/replace-agent.ts';
import { agent, clusterThat, container } from '../../support/fake-cluster.ts';
import { daemonSet } from '../../support/fake-daemon-set.ts';
import { digestOf } from '../../support/values.ts';

const WANTED: Replacement = {
  node: 'worker',
  namespace: 'kube-system',
  all: ['master', 'worker'],
  suspects: new Set(),
  hint: 'mend it, then type this',
  target: { hash: 'new', nodeConfig: 'none' },
  image: digestOf('agent'),
  timeout: 5000,
  soak: 1,
};

const OLD = agent('cilium-old', { labels: { 'controller-revision-hash': 'old' } });
const NEW = agent('cilium-new');
const BY_US = { [NODE_CONFIG_ANNOTATION]: 'none' };

const RELEASE = 'label worker {"ciliumship.io/hold":null}';
const RUN: Run = { signal: new AbortController().signal, progress: () => undefined };
const PATIENCE = { timeout: 5000, signal: RUN.signal, mend: async () => undefined };

async function replace(set: { readonly cluster: Cluster }, more: Partial<Replacement> = {}) {
  return replaceAgentStep({ ...WANTED, ...more }, set.cluster).run(RUN);
}

describe('an agent', () => {
  test('of an older template is deleted, and the new one is proved after its soak', async () => {
    const set = daemonSet(OLD, NEW);
    expect(await replace(set)).toEqual(NEW);
    expect(set.changes).toEqual(['delete cilium-old', RELEASE, 'prove cilium-new none']);
  });

  test('that still ends, or is not ready yet, is waited for', async () => {
    const ending = agent('cilium-old', { deleting: true });
    const set = daemonSet(OLD, ending, agent('cilium-new', { ready: false }), NEW);
    expect(await replace(set)).toEqual(NEW);
  });

  test('of a held node starts when the node is let go', async () => {
    const set = daemonSet(undefined, NEW);
    await replace(set);
    expect(set.changes).toEqual([RELEASE, 'prove cilium-new none']);
  });

  test('of the newest template that nobody proved is judged and not replaced', async () => {
    const set = daemonSet(NEW, NEW);
    await replace(set);
    expect(set.changes).toEqual([RELEASE, 'prove cilium-new none']);
  });

  test('that may have started with other devices is replaced', async () => {
    const set = daemonSet(NEW, agent('cilium-newer'));
    await replace(set, { target: { hash: 'new', nodeConfig: 'abc' } });
    expect(set.changes).toEqual(['delete cilium-new', RELEASE, 'prove cilium-newer abc']);
  });

  test('that was proved with devices the node has no more is replaced', async () => {
    const proved = agent('cilium-new', { annotations: { [NODE_CONFIG_ANNOTATION]: 'abc' } });
    const set = daemonSet(proved, agent('cilium-newer'));
    await replace(set);
    expect(set.changes).toEqual(['delete cilium-new', RELEASE, 'prove cilium-newer none']);
  });

  test('whose image was not shipped by us may be any', async () => {
    await expect(replace(daemonSet(OLD, NEW), { image: undefined })).resolves.toEqual(NEW);
  });
});

describe('while the agent of another node does not work', () => {
  const ends = agent('cilium-m', { node: 'master', deleting: true });
  const unready = agent('cilium-m', { node: 'master', ready: false });
  const hopeless = container({ waiting: 'CrashLoopBackOff', restarts: 3 });
  const crashes = { ...unready, containers: [hopeless] };

  /** The same set beside these agents of the master, one at each look, the last for ever. */
  function beside(set: ReturnType<typeof daemonSet>, ...others: readonly (Pod | undefined)[]) {
    let looks = -1;
    const pods: Cluster['pods'] = async (...asked) => {
      looks += 1;
      const other = others[looks] ?? others.at(-1);
      const own = (await set.cluster.pods(...asked)).filter(({ node }) => node === 'worker');
      return other === undefined ? own : [other, ...own];
    };
    return { ...set, cluster: clusterThat({ ...set.cluster, pods }) };
  }

  test.each([
    ['is not ready', unready, 'cilium-m is not ready, 0 restarts', 'describe pod cilium-m'],
    ['ends', ends, 'cilium-m is still ending', 'describe pod cilium-m'],
    ['is missing', undefined, 'there is no pod', 'get pods -l k8s-app=cilium -o wide'],
    ['crashes', crashes, 'cilium-m: cilium-agent: CrashLoopBackOff', 'describe pod cilium-m'],
  ])('because it %s, one that works is not taken away', async (_, other, state, look) => {
    const set = beside(daemonSet(OLD, NEW), other);
    await expect(replace(set, { timeout: 0 })).rejects.toMatchObject({
      kind: 'deploy',
      message: `master: the agent does not work (${state}), so the one on worker was not taken away`,
      details: [
        `see why: kubectl -n kube-system ${look}`,
        'a node that is gone for good is taken out of the cluster and of the config: kubectl delete node master',
      ],
      hint: WANTED.hint,
    });
    expect(set.changes).toEqual([]);
  });

  test('one that works is taken away when the other is ready again', async () => {
    const other = agent('cilium-m', { node: 'master' });
    const set = beside(daemonSet(OLD, NEW), undefined, unready, other);
    expect(await replace(set)).toEqual(NEW);
    expect(set.changes[0]).toBe('delete cilium-old');
  });

  test('one that does not work is replaced all the same', async () => {
    const set = beside(daemonSet({ ...OLD, ready: false }, NEW), unready);
    await replace(set, { timeout: 0 });
    expect(set.changes[0]).toBe('delete cilium-old');
  });

  test('one that may be the cause is replaced all the same', async () => {
    const set = beside(daemonSet(OLD, NEW), unready);
    await replace(set, { timeout: 0, suspects: new Set([OLD.uid]) });
    expect(set.changes[0]).toBe('delete cilium-old');
  });
});

describe('the rollout stops, with nothing proved, at an agent', () => {
  const crashing = container({ waiting: 'CrashLoopBackOff', restarts: 2 });

  test.each([
    ['cilium-agent', { containers: [crashing] }],
    ['config', { initContainers: [{ ...crashing, name: 'config' }] }],
  ])('whose %s crashes; its last words are shown', async (name, more) => {
    const set = daemonSet(OLD, agent('cilium-new', { ready: false, ...more }));
    await expect(replace(set, { timeout: 0 })).rejects.toMatchObject({
      kind: 'deploy',
      message: `worker: the new agent was not ready after 0 s: cilium-new: ${name}: CrashLoopBackOff`,
      details: [`last words of cilium-new ${name}`],
      hint: 'mend it, then type this',
    });
    expect(set.changes).toEqual(['delete cilium-old', RELEASE]);
  });

  test.each([
    ['crashed three times', container({ waiting: 'CrashLoopBackOff', restarts: 3 })],
    ['has no image', container({ waiting: 'ErrImageNeverPull' })],
  ])('that %s, without waiting for its time to be over', async (_, dead) => {
    const set = daemonSet(OLD, agent('cilium-new', { ready: false, containers: [dead] }));
    const message = expect.stringContaining('worker: the new agent was given up: cilium-new');
    await expect(replace(set)).rejects.toMatchObject({ kind: 'deploy', message });
  });

  test.each([
    ['is not ready', { ready: false }],
    ['does not end', { deleting: true }],
  ])('of a node whose old one %s either; the way past that node is named', async (_, down) => {
    const set = daemonSet({ ...OLD, ...down }, agent('cilium-new', { ready: false }));
    await expect(replace(set, { timeout: 0 })).rejects.toMatchObject({
      details: [
        'last words of cilium-new cilium-agent',
        'the other nodes are left as they are while worker is down, as it was before; a node that is gone for good is taken out of the cluster and of the config: kubectl delete node worker',
      ],
      hint: WANTED.hint,
    });
  });

  test('that is not judged well', async () => {
    const set = daemonSet(OLD, NEW);
    const judge = async (pod: Pod): Promise<void> => {
      throw new ShipError('deploy', `${pod.name} is not liked`);
    };
    await expect(replace(set, { judge })).rejects.toThrow('cilium-new is not liked');
    expect(set.changes).toEqual(['delete cilium-old', RELEASE]);
  });

  test.each([
    ['restarts', agent('cilium-new', { containers: [container({ restarts: 1 })] })],
    ['is not ready any more', agent('cilium-new', { ready: false })],
    ['is another', agent('cilium-new', { uid: 'another' })],
  ])('that %s during the soak', async (_, later) => {
    const set = daemonSet(OLD, NEW, later);
    const message = expect.stringContaining('worker: the new agent was ready for a moment only');
    await expect(replace(set)).rejects.toMatchObject({ kind: 'deploy', message });
    expect(set.changes).toEqual(['delete cilium-old', RELEASE]);
  });

  test('that runs other bytes than were shipped', async () => {
    const set = daemonSet(OLD, NEW);
    const message = expect.stringMatching(
      /^worker: the agent runs [0-9a-f]{12}, not [0-9a-f]{12}$/,
    );
    const other = replace(set, { image: digestOf('other') });
    await expect(other).rejects.toMatchObject({ kind: 'deploy', message });
    expect(set.changes).not.toContain('prove cilium-new none');
  });

  test('when the command is interrupted', async () => {
    const controller = new AbortController();
    const step = replaceAgentStep(WANTED, daemonSet(OLD, OLD).cluster);
    const running = step.run({ signal: controller.signal, progress: () => controller.abort() });
    await expect(running).rejects.toThrow('aborted');
  });
});

type Called = 'pods' | 'deletePod' | 'labelNode' | 'annotatePod';

describe('F36: an API server that is away for a moment', () => {
  /** Whose calls by these names fail every second time, the first of them first. */
  function blinking(cluster: Cluster, ...names: readonly Called[]): Cluster {
    const away = new ShipError('network', 'the API server does not answer');
    const blinks = names.map((name) => {
      let asked = 0;
      const call = cluster[name] as (...of: readonly unknown[]) => Promise<unknown>;
      const blink = (...of: readonly unknown[]): Promise<unknown> =>
        (asked += 1) % 2 === 1 ? Promise.reject(away) : call(...of);
      return [name, blink] as const;
    });
    return clusterThat({ ...cluster, ...Object.fromEntries(blinks) });
  }
  const CHANGES = ['deletePod', 'labelNode', 'annotatePod'] as const;

  test.each([
    ['is asked again', 4, ['pods'] as const],
    ['is told again what to change', 3, CHANGES],
  ])('%s, and the agent is as good as any', async (_, times, names) => {
    const set = daemonSet(OLD, NEW);
    const mended: string[] = [];
    const cluster = patientCluster(blinking(set.cluster, ...names), {
      timeout: 5000,
      signal: RUN.signal,
      mend: async ({ message }) => void mended.push(message),
    });
    expect(await replace({ cluster })).toEqual(NEW);
    expect(set.changes).toEqual(['delete cilium-old', RELEASE, 'prove cilium-new none']);
    expect(new Set(mended)).toEqual(new Set(['the API server does not answer']));
    expect(mended).toHaveLength(times);
  });

  test('for longer than a node gets fails it as what it is', async () => {
    const set = daemonSet(OLD, NEW);
    const cluster = patientCluster(blinking(set.cluster, 'pods'), { ...PATIENCE, timeout: 0 });
    await expect(replace({ cluster })).rejects.toMatchObject({ kind: 'network' });
    expect(set.changes).toEqual([]);
  });

  test('and refuses what is asked is not asked again', async () => {
    const refusal = new ShipError('identity', 'the API server refuses: list pods (HTTP 403)');
    let asked = 0;
    const pods = async (): Promise<never> => {
      asked += 1;
      throw refusal;
    };
    const cluster = patientCluster(clusterThat({ pods }), PATIENCE);
    await expect(replace({ cluster })).rejects.toBe(refusal);
    expect(asked).toBe(1);
  });
});

describe('nothing is left to do', () => {
  const proved = agent('cilium-new', { annotations: BY_US });

  test.each([
    ['for a ready agent of template and devices that was proved', proved, true],
    ['but not for one that was not proved', NEW, false],
    ['but not for one that is not ready', { ...proved, ready: false }, false],
    ['but not for one that ends', { ...proved, deleting: true }, false],
    ['but not for an older one', { ...OLD, annotations: BY_US }, false],
    ['but not without an agent', undefined, false],
  ])('%s', async (_, pod, isDone) => {
    const set = daemonSet(pod);
    const found = await replaceAgentStep(WANTED, set.cluster).done?.(RUN);
    expect(found).toEqual(isDone ? pod : undefined);
    expect(set.changes).toEqual([]);
  });
});
