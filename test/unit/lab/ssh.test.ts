import { describe, expect, it } from 'vitest';
import { knownHostsText, portInConfig, sshConfigText } from '../../../lab/ssh.ts';

const PORTS = new Map([
  ['master', 32001],
  ['worker', 32002],
]);

describe('the ssh config of a lab', () => {
  const text = sshConfigText(PORTS);

  it('reaches each node through its port on 127.0.0.1, as its user', () => {
    expect(text).toMatch(
      /^Host master\n {2}HostName 127\.0\.0\.1\n {2}Port 32001\n {2}User root\n/,
    );
    expect(text).toMatch(
      /\n\nHost worker\n {2}HostName 127\.0\.0\.1\n {2}Port 32002\n {2}User admin\n/,
    );
  });

  it('knows nothing of your keys and hosts', () => {
    expect(text.match(/StrictHostKeyChecking yes/g)).toHaveLength(2);
    expect(text.match(/GlobalKnownHostsFile \/dev\/null/g)).toHaveLength(2);
    expect(text.match(/IdentityAgent none/g)).toHaveLength(2);
    expect(text).not.toContain('.ssh/');
  });

  it('tells which port it has for a node', () => {
    expect(portInConfig(text, 'worker')).toBe(32002);
    expect(portInConfig(text, 'other')).toBeUndefined();
    expect(portInConfig('', 'worker')).toBeUndefined();
  });
});

it('known_hosts has one line for each node, without the comment of the key', () => {
  const keys = new Map([
    ['master', 'ssh-ed25519 AAAA one\n'],
    ['worker', 'ssh-ed25519 BBBB two\n'],
  ]);
  expect(knownHostsText(PORTS, keys)).toBe(
    '[127.0.0.1]:32001 ssh-ed25519 AAAA\n[127.0.0.1]:32002 ssh-ed25519 BBBB\n',
  );
});
