import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { lockText, type ShipLock } from '../../src/drift/lock-file.ts';
import { digestOf, shipImage } from './values.ts';

/** Files that users hand us, or merge. */
export type Kind = 'config' | 'values' | 'lock';

const CONFIG = `version: 1
source: ../cilium
tag: dev
nodes:
  master: { ssh: master, role: server, dataInterface: eth0, dataAddress: 10.4.100.1/16, devices: [eth0], profile: a }
  worker: { ssh: admin@worker:22, role: agent, dataAddress: 10.4.100.2/16, devices: [eth1], profile: b }
images:
  agent: { name: example.org/agent, dockerfile: Dockerfile, buildArgs: { A: b } }
routes: [{ to: 10.5.0.0/16, via: eth0, node: master }]
transfer: { concurrency: 8, maxRate: 20Mbit }
deploy: { timeout: 5m, offline: true, canary: worker }
hooks: { before-push: ./hook, timeout: 1m }
`;

/** A lock with everything that one can have. */
const LOCK: ShipLock = {
  version: 1,
  source: { commit: 'a'.repeat(40), version: '1.19.0-dev', inputs: digestOf('i'), changed: ['a'] },
  images: Object.fromEntries(
    ['cilium', 'operator-generic', 'a: b'].map((key) => {
      const { name, digestName, config, manifest, layers } = shipImage('x', [key]);
      const digests = { config: config.digest, manifest: manifest.digest };
      return [key, { name, digestName, ...digests, layers: layers.map(({ digest }) => digest) }];
    }),
  ),
  nodes: ['master', 'worker'],
  release: {
    revision: 7,
    chart: digestOf('c'),
    chartVersion: '1.19.6',
    values: digestOf('v'),
    manifest: digestOf('m'),
  },
};

/** A good file of each kind, to be broken. */
export const BROKEN_FROM: Readonly<Record<Kind, string>> = {
  config: CONFIG,
  values: readFileSync(resolve(import.meta.dirname, '../../values/cilium-values.yaml'), 'utf8'),
  lock: lockText(LOCK),
};
