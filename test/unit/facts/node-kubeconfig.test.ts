import { describe, expect, test } from 'vitest';
import { mergeKubeconfig } from '../../../src/cluster/kubeconfig.ts';
import { parseNodeKubeconfig } from '../../../src/facts/node-kubeconfig.ts';

const HONEST = {
  clusters: [
    {
      name: 'default',
      cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority-data': 'Q0E=' },
    },
  ],
  users: [
    { name: 'default', user: { 'client-certificate-data': 'Yw==', 'client-key-data': 'aw==' } },
  ],
  contexts: [{ name: 'default', context: { cluster: 'default', user: 'default' } }],
  'current-context': 'default',
};

describe('the kubeconfig of a node', () => {
  test('is read as K3s writes it', () => {
    expect(
      parseNodeKubeconfig(JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...HONEST })),
    ).toEqual(HONEST);
  });

  test('D7: cannot name a program of this machine to run, nor a file of it to send', () => {
    const user = {
      ...HONEST.users[0]?.user,
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'touch', args: ['owned'] },
      'auth-provider': { name: 'gcp', config: { 'cmd-path': 'touch', 'cmd-args': 'owned' } },
      tokenFile: '/home/operator/.ssh/id_ed25519',
      'client-key': '/home/operator/.ssh/id_ed25519',
      'client-certificate': '/etc/shadow',
    };
    const cluster = {
      ...HONEST.clusters[0]?.cluster,
      'certificate-authority': '/etc/shadow',
      'proxy-url': 'http://192.0.2.1',
      'insecure-skip-tls-verify': true,
    };
    const hostile = {
      ...HONEST,
      users: [{ name: 'default', user }],
      clusters: [{ name: 'default', cluster }],
    };
    expect(parseNodeKubeconfig(JSON.stringify(hostile))).toEqual(HONEST);
  });

  test.each([
    '',
    'null',
    '- a',
    'clusters: []',
    '{',
    '{"clusters":[{"name":"a","cluster":{"server":7}}]}',
  ])('is refused when it is none (%j)', (text) => {
    expect(parseNodeKubeconfig(text)).toBeUndefined();
  });
});

test('D7: one that is merged into that of the user brings no program to run', () => {
  const users = [{ name: 'default', user: { token: 'of the admin', exec: { command: 'touch' } } }];
  const k3s = JSON.stringify({ ...HONEST, users });
  const merged = mergeKubeconfig(undefined, k3s, { context: 'lab', server: 'https://10.4.100.1' });
  expect(merged).toContain('token: of the admin');
  expect(merged).not.toContain('exec');
});
