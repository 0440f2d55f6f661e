import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { failureOf } from '../../support/docker-build.ts';
import { makeTree } from '../../support/docker-images.ts';

/** Whoever may change a project's config must not choose what runs on the operator's machine. */
const HOSTILE: Readonly<Record<string, string>> = {
  'another ssh_config': 'ssh: { config: ./evil }',
  'a host key rule that does not exist': 'ssh: { hostKeys: off }',
  'a proxy command': 'ssh: { proxyCommand: touch PWNED }',
  'an option as a node': 'nodes: { master: { ssh: -oProxyCommand=touch, role: server } }',
  'a file as a node': 'nodes: { master: { ssh: -F./evil, role: server } }',
  'a shell in a node': 'nodes: { master: { ssh: "a;touch PWNED", role: server } }',
  'an option of a node': 'nodes: { master: { ssh: a, role: server, sshConfig: ./evil } }',
};

test.each(Object.keys(HOSTILE))('F57: %s in a project’s config is refused', async (name) => {
  const lines = ['version: 1', 'source: ..', HOSTILE[name] ?? ''];
  if (!lines.some((line) => line.startsWith('nodes:'))) {
    lines.push('nodes: { master: { ssh: a, role: server } }');
  }
  const file = join(makeTree({ evil: 'Match exec "touch PWNED"' }), 'ciliumship.yaml');
  writeFileSync(file, lines.join('\n'));
  const error = await failureOf(loadConfig(file));
  expect(error.kind).toBe('config');
  expect(error.details.join('\n')).toMatch(/ssh|hostKeys|config|proxyCommand/);
});

test('F57: the same config without it is taken', async () => {
  const text = 'version: 1\nsource: ..\nnodes: { master: { ssh: a, role: server } }\n';
  const file = join(makeTree({ 'ciliumship.yaml': text }), 'ciliumship.yaml');
  await expect(loadConfig(file)).resolves.toBeDefined();
});
