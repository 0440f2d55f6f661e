import { existsSync, statSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Context } from '../../../src/commands/command.ts';
import { openClusterAccess } from '../../../src/commands/shared/cluster.ts';
import type { Fleet } from '../../../src/commands/shared/fleet.ts';
import { ShipError } from '../../../src/core/errors.ts';
import type { Session } from '../../../src/system/ssh/session.ts';
import { configNode } from '../../support/fake-cluster.ts';
import { testFolder } from '../../support/folder.ts';

/** A kubeconfig as K3s writes it. */
const k3s = (server: string): string => `apiVersion: v1
clusters:
- cluster: { server: "${server}" }
  name: default
contexts:
- context: { cluster: default, user: default }
  name: default
current-context: default
users:
- name: default
  user: { client-key-data: "key of ${server}" }
`;

interface Tunnelled {
  readonly host: string;
  readonly port: number;
  open: boolean;
}

/** A session whose k3s.yaml holds a text, or cannot be read. */
function session(name: string, file: string | ShipError, tunnels: Tunnelled[] = []): Session {
  return {
    node: name,
    run: async () => {
      if (file instanceof ShipError) throw file;
      return { code: 0, stdout: file, stderr: '' };
    },
    tunnel: async (host: string, port: number) => {
      const tunnel = { host, port, open: true };
      tunnels.push(tunnel);
      const close = async (): Promise<void> => {
        tunnel.open = false;
      };
      return { port: 12_345, [Symbol.asyncDispose]: close };
    },
  } as Partial<Session> as Session;
}

const fleetOf = (sessions: readonly Session[], failures: Fleet['failures'] = new Map()): Fleet => ({
  sessions: new Map(sessions.map((one) => [one.node, one])),
  failures,
  [Symbol.asyncDispose]: async () => undefined,
});

function contextWith(flags: { kubeconfig?: string; context?: string } = {}) {
  const hidden: string[] = [];
  const nodes = [
    configNode('one', { role: 'server' }),
    configNode('two', { role: 'server' }),
    configNode('worker'),
  ];
  const context = {
    config: { nodes, ssh: {} },
    flags,
    output: { hide: (secret: string) => hidden.push(secret) },
    signal: new AbortController().signal,
  } as unknown as Context;
  return { context, hidden };
}

const errorOf = (call: Promise<unknown>): Promise<ShipError> =>
  call.then(
    () => expect.unreachable('it did not fail'),
    (error: unknown) => error as ShipError,
  );

const unreadable = (name: string): ShipError =>
  new ShipError('storage', `${name}: cat: /etc/rancher/k3s/k3s.yaml: No such file`);

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('without a kubeconfig of the user', () => {
  const open = (fleet: Fleet, { context } = contextWith()) => {
    vi.stubEnv('KUBECONFIG', undefined);
    return openClusterAccess(context, fleet);
  };
  const openAndClose = async (fleet: Fleet) => (await open(fleet))[Symbol.asyncDispose]();

  test('that of a server is used through a tunnel, and is gone afterwards', async () => {
    const tunnels: Tunnelled[] = [];
    const given = contextWith();
    const fleet = fleetOf([session('one', k3s('https://127.0.0.1:7443'), tunnels)]);
    const access = await open(fleet, given);
    expect(tunnels).toMatchObject([{ host: '127.0.0.1', port: 7443, open: true }]);
    expect(readFileSync(access.kubeconfig, 'utf8')).toContain('https://127.0.0.1:12345');
    expect(statSync(access.kubeconfig).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(access.kubeconfig)).mode & 0o777).toBe(0o700);
    expect(given.hidden).toHaveLength(1);
    await access[Symbol.asyncDispose]();
    expect(existsSync(dirname(access.kubeconfig))).toBe(false);
    expect(tunnels).toMatchObject([{ open: false }]);
  });

  test.each([
    ['https://[::1]:6443', '::1', 6443],
    ['https://api.internal', 'api.internal', 443],
  ])('an API server at %s is tunnelled to as %s, port %d', async (server, host, port) => {
    const tunnels: Tunnelled[] = [];
    await openAndClose(fleetOf([session('one', k3s(server), tunnels)]));
    expect(tunnels).toMatchObject([{ host, port }]);
  });

  test('a server that gives none is passed over for the next', async () => {
    const tunnels: Tunnelled[] = [];
    const fleet = fleetOf([
      session('one', unreadable('one')),
      session('two', k3s('https://127.0.0.1:6443'), tunnels),
    ]);
    await openAndClose(fleet);
    expect(tunnels).toHaveLength(1);
  });

  test('a server that is connected is asked before one that could not be reached', async () => {
    const tunnels: Tunnelled[] = [];
    const failures = new Map([['one', new ShipError('network', 'one: no route to host')]]);
    const fleet = fleetOf([session('two', k3s('https://127.0.0.1:6443'), tunnels)], failures);
    await openAndClose(fleet);
    expect(tunnels).toHaveLength(1);
  });

  test('each server is named with its reason when none gives one', async () => {
    const lost = new ShipError('network', 'two: no route to host');
    const fleet = fleetOf([session('one', unreadable('one'))], new Map([['two', lost]]));
    const { message, failures } = await errorOf(open(fleet));
    expect(message).toContain('one, two');
    expect([...failures.values()].map((error) => error.message)).toEqual([
      'one: cat: /etc/rancher/k3s/k3s.yaml: No such file',
      'two: no route to host',
    ]);
  });

  test('a file without a server is such a reason too', async () => {
    const fleet = fleetOf([session('one', 'clusters: []'), session('two', '')]);
    const { failures } = await errorOf(open(fleet));
    expect([...failures.values()].map(({ kind }) => kind)).toEqual(['config', 'config']);
  });
});

describe('a kubeconfig of the user', () => {
  const kubeconfig = (folder: string, name: string): string => {
    const file = join(folder, name);
    const token = `secret-token-of-${name}`;
    const text = {
      clusters: [{ name, cluster: { server: `https://${name}` } }],
      users: [{ name, user: { token } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    };
    writeFileSync(file, JSON.stringify(text));
    return file;
  };

  test('stays where it is, and its secrets are hidden', async () => {
    const { context, hidden } = contextWith();
    const folder = testFolder();
    const list = [kubeconfig(folder, 'a'), kubeconfig(folder, 'b')].join(delimiter);
    vi.stubEnv('KUBECONFIG', list);
    await using access = await openClusterAccess(context, fleetOf([]));
    expect(access.kubeconfig).toBe(list);
    expect(hidden).toEqual(['secret-token-of-a', 'secret-token-of-b']);
  });

  test('of the flag goes before that of the environment', async () => {
    const folder = testFolder();
    const { context } = contextWith({ kubeconfig: kubeconfig(folder, 'flag') });
    vi.stubEnv('KUBECONFIG', kubeconfig(folder, 'environment'));
    await using access = await openClusterAccess(context, fleetOf([]));
    expect(access.kubeconfig).toBe(join(folder, 'flag'));
  });

  test('that is not there is refused rather than replaced by that of the server', async () => {
    const { context } = contextWith({ kubeconfig: '/nowhere/config' });
    const fleet = fleetOf([session('one', k3s('https://127.0.0.1:6443'))]);
    expect(await errorOf(openClusterAccess(context, fleet))).toMatchObject({ kind: 'config' });
  });
});
