import { createHash } from 'node:crypto';
import { k3sConfig, type K3sSettings } from '../../src/cluster/k3s-config.ts';
import type { NodeInstall } from '../../src/cluster/k3s-tasks.ts';
import type { Node } from '../../src/core/node.ts';
import type { K3sFacts } from '../../src/facts/k3s.ts';
import { configNode } from './fake-cluster.ts';
import { fakeNode, type FakeNode } from './fake-node.ts';

export const SETTINGS: K3sSettings = {
  clusterCidr: '10.42.0.0/16',
  serviceCidr: '10.43.0.0/16',
  kubeProxy: false,
  server: {},
  agent: {},
};
export const server = (name: string, host: number): Node =>
  configNode(name, { role: 'server', dataAddress: `10.4.100.${host}/16` });
export const MASTER = server('master', 1);
export const SECOND = server('second', 3);
export const WORKER = configNode('worker', { dataAddress: '10.4.100.2/16', nodeName: 'worker-1' });
export const TOKEN = 'K10canary::server:0123456789abcdef';

export const HEX = createHash('sha256').update('x').digest('hex');

export const state = (unit: string): K3sFacts => ({
  binary: undefined,
  config: 'none',
  text: undefined,
  changing: false,
  started: unit === 'active',
  unit,
});
/** Of a node whose config.yaml we wrote. */
export const ours = (text: string, change: Partial<K3sFacts> = {}): K3sFacts => ({
  ...state('active'),
  binary: HEX,
  config: 'ours',
  text,
  ...change,
});

export interface Lab {
  readonly node: FakeNode;
  readonly server: FakeNode;
  readonly install: NodeInstall;
  readonly inputs: string[];
}

/** A worker that joins; it registers once it was started. */
export function joining(
  options: { readonly config?: string; readonly place?: number; readonly restarts?: number } = {},
): Lab {
  const inputs: string[] = [];
  let started = options.restarts === undefined ? false : undefined;
  const node = fakeNode((command, { input }) => {
    if (typeof input === 'string') inputs.push(input);
    if (command.startsWith('sha256sum')) return { code: 1 };
    if (command.startsWith('ls -d')) {
      return {
        code: 2,
        stdout: options.config === undefined ? '' : '/etc/rancher/k3s/config.yaml',
      };
    }
    if (command.startsWith('head')) return options.config ?? '';
    if (command.startsWith('systemctl is-active')) return { code: 3, stdout: 'inactive' };
    if (command.startsWith('systemctl restart') && started === false) started = true;
    if (command.startsWith('systemctl show')) return String(options.restarts ?? 0);
    if (command.startsWith('journalctl')) return 'level=fatal msg="token is wrong"';
    if (command.includes('sha256sum -c')) return { code: options.place ?? 0 };
    return undefined;
  });
  const founder = fakeNode((command) => {
    if (command.startsWith('cat')) return TOKEN;
    if (command.includes('get node')) return { code: started === true ? 0 : 1 };
    return undefined;
  });
  const install: NodeInstall = {
    node: WORKER,
    entry: { as: 'joins', server: '10.4.100.1' },
    config: k3sConfig(WORKER, { as: 'joins', server: '10.4.100.1' }, SETTINGS),
    state: state('inactive'),
    binary: { sha256: HEX, path: '/in/k3s' },
    installer: { sha256: HEX, path: '/in/install.sh' },
    remote: node,
    server: founder,
    send: async () => undefined,
    timeout: 5_000,
  };
  return { node, server: founder, install, inputs };
}
