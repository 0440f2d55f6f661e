import type { Remains } from '../../src/facts/remains.ts';
import { parseLinks } from '../../src/facts/links.ts';
import { nodeData } from './node-data.ts';

/** A worker with nothing of K3s on it, reached by em2, with some of it changed. */
export function bareRemains(change: Partial<Remains> = {}): Remains {
  return {
    node: 'worker',
    sshInterface: 'em2',
    bpftool: true,
    units: new Map(),
    survivors: [],
    links: parseLinks(nodeData('ip-addr.txt')).filter(({ name }) => /^(lo|em2|eth1)$/.test(name)),
    pins: [],
    traffic: [],
    bpfMounts: 1,
    mounts: [],
    paths: new Set(),
    linked: [],
    programLinks: [],
    cniFiles: [],
    namespaces: [],
    maps: [],
    rules: new Map(),
    routing: [],
    volumes: [],
    ...change,
  };
}

/** An interface of that name that is up. */
export function madeLink(name: string): Remains['links'][number] {
  return {
    name,
    mtu: 1500,
    up: true,
    carrier: true,
    kind: 'veth',
    queues: 1,
    addresses: [],
    parent: undefined,
    master: undefined,
    xdp: undefined,
  };
}
