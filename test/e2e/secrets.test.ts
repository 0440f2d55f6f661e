import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { ciliumship } from '../support/cli.ts';
import { changedConfig, labEnvironment, nodeNamed, onNode, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';
import { changeBanner, resetTree } from '../support/tree.ts';

const missing = await missingPart('the lab', requireLab);
const config = changedConfig((text) => text);
// Without a kubeconfig of the user, so that the admin's is fetched and handed to Helm.
const env: NodeJS.ProcessEnv = {
  ...labEnvironment(config),
  KUBECONFIG: undefined,
  MY_REGISTRY_PASSWORD: 'canary-in-the-environment',
};

/** What must never be seen: the admin's key, the token that joins nodes, a password of ours. */
async function canaries(): Promise<readonly string[]> {
  const master = nodeNamed('master');
  const kubeconfig = await onNode(master, 'cat', '/etc/rancher/k3s/k3s.yaml');
  const key = /client-key-data: *(\S+?)[ }\n]/.exec(kubeconfig)?.[1] ?? '';
  const token = await onNode(master, 'cat', '/var/lib/rancher/k3s/server/node-token');
  return [key, token, 'canary-in-the-environment'];
}

/** Arguments of every process of this machine; the nodes' processes are among them. */
function argumentsOfAll(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')];
      } catch {
        return [];
      }
    });
}

describe.skipIf(missing !== undefined)('a whole ship', () => {
  let secrets: readonly string[];
  beforeAll(async () => {
    secrets = await canaries();
    expect(secrets.every((secret) => secret.length > 20)).toBe(true);
  });

  it('D7: shows no secret in any process list, output, log or file it leaves', async () => {
    changeBanner('nothing secret');
    const before = new Set(readdirSync(tmpdir()));
    let samples = 0;
    const seen = new Set<string>();
    const sampler = setInterval(() => {
      samples += 1;
      for (const line of argumentsOfAll()) {
        for (const secret of secrets) if (line.includes(secret)) seen.add(line);
      }
    }, 5);
    const ended = await ciliumship(['ship', '--verbose', '--json-events', '-'], { env });
    clearInterval(sampler);
    await resetTree();
    expect(ended.code, ended.stderr).toBe(0);
    expect(samples).toBeGreaterThan(100);
    expect([...seen]).toEqual([]);
    const state = join(process.env['XDG_STATE_HOME'] ?? `${process.env['HOME']}/.local/state`);
    const logs = join(state, 'ciliumship', 'logs');
    const newest = readdirSync(logs).toSorted().at(-1) ?? '';
    const receipt = join(dirname(config), '.ciliumship', 'receipts', '0001');
    const files = [join(logs, newest), `${receipt}.json`, `${receipt}.html`];
    const texts = files.map((file) => readFileSync(file, 'utf8'));
    const all = [ended.stdout, ended.stderr, ...texts].join('\n');
    for (const secret of secrets) expect(all.includes(secret)).toBe(false);
    const left = readdirSync(tmpdir()).filter((name) => !before.has(name));
    expect(left.filter((name) => /^ciliumship-.{6}$/.test(name))).toEqual([]);
  });
});
