import { parse } from 'yaml';
import { describe, expect, test } from 'vitest';
import { mergeKubeconfig } from '../../../src/cluster/kubeconfig.ts';

const k3s = (authority: string): string => `apiVersion: v1
kind: Config
clusters:
- name: default
  cluster: { server: "https://127.0.0.1:6443", certificate-authority-data: ${authority} }
users:
- name: default
  user: { client-certificate-data: cert, client-key-data: key }
contexts:
- name: default
  context: { cluster: default, user: default }
current-context: default
`;
const NAME = { context: 'k3s-master', server: 'https://10.4.100.1:6443' };
const OWN = `# mine
apiVersion: v1
kind: Config
clusters:
  - name: work # keep
    cluster: { server: "https://work.example", certificate-authority-data: other }
users:
  - name: work
    user: { token: secret }
contexts:
  - name: work
    context: { cluster: work, user: work }
current-context: work
`;

interface Kubeconfig {
  readonly 'current-context': string;
  readonly clusters: readonly {
    readonly name: string;
    readonly cluster: { readonly server: string };
  }[];
  readonly users: readonly { readonly name: string }[];
}

describe('a kubeconfig', () => {
  test('that is new has the one cluster, as the current one', () => {
    const merged = parse(mergeKubeconfig(undefined, k3s('ca'), NAME)) as Kubeconfig;
    expect(merged).toMatchObject({
      'current-context': 'k3s-master',
      clusters: [{ name: 'k3s-master', cluster: { server: NAME.server } }],
      users: [{ name: 'k3s-master', user: { 'client-key-data': 'key' } }],
      contexts: [{ context: { cluster: 'k3s-master', user: 'k3s-master' } }],
    });
  });

  test('that is there keeps what it has, its comments and its current context', () => {
    const merged = mergeKubeconfig(OWN, k3s('ca'), NAME);
    expect(merged).toContain('# mine');
    expect(merged).toContain('# keep');
    const { users, ...rest } = parse(merged) as Kubeconfig;
    expect(rest['current-context']).toBe('work');
    expect(users.map(({ name }) => name)).toEqual(['work', 'k3s-master']);
  });

  test('is the same after a second time', () => {
    const once = mergeKubeconfig(OWN, k3s('ca'), NAME);
    expect(mergeKubeconfig(once, k3s('ca'), NAME)).toBe(once);
  });

  test('takes the new address of the same cluster', () => {
    const once = mergeKubeconfig(OWN, k3s('ca'), NAME);
    const moved = mergeKubeconfig(once, k3s('ca'), { ...NAME, server: 'https://192.0.2.1:6443' });
    const { clusters } = parse(moved) as Kubeconfig;
    expect(clusters.map(({ cluster }) => cluster.server)).toEqual([
      'https://work.example',
      'https://192.0.2.1:6443',
    ]);
  });

  test('never gives the name of another cluster to this one', () => {
    const taken = (): string => mergeKubeconfig(OWN, k3s('ca'), { ...NAME, context: 'work' });
    expect(taken).toThrow('the name work is another cluster’s');
  });

  test.each(['[1', '- a: {'])('that is none is refused and not overwritten: %s', (text) => {
    expect(() => mergeKubeconfig(text, k3s('ca'), NAME)).toThrow('is no kubeconfig');
  });

  test('of a server that gives none is refused', () => {
    expect(() => mergeKubeconfig(OWN, 'clusters: []', NAME)).toThrow('k3s.yaml of the server');
  });
});
