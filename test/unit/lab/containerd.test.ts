import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONTAINERD_VERSIONS, configOf, DEFAULT_CONTAINERD } from '../../../lab/containerd.ts';

const NODE_FILES = join(import.meta.dirname, '../../../lab/node');

function config(version: (typeof CONTAINERD_VERSIONS)[number]): string {
  return readFileSync(join(NODE_FILES, configOf(version)), 'utf8');
}

describe('containerd of the nodes', () => {
  it('is 1.7 unless asked otherwise', () => {
    expect(DEFAULT_CONTAINERD).toBe('1.7');
  });

  it.each(CONTAINERD_VERSIONS)('%s keeps its data and socket where K3s has them', (version) => {
    const text = config(version);
    for (const path of [
      'root = "/var/lib/rancher/k3s/agent/containerd"',
      'address = "/run/k3s/containerd/containerd.sock"',
      'conf_dir = "/etc/cni/net.d"',
      '= "docker.io/rancher/mirrored-pause:3.6"',
    ]) {
      expect(text).toContain(path);
    }
  });

  it('reads the form of config that its version knows', () => {
    expect(config('1.6')).toMatch(/^version = 2\n/);
    expect(config('1.7')).toMatch(/^version = 2\n/);
    expect(config('2')).toMatch(/^version = 3\n/);
  });
});
