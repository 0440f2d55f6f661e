import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { KUBECONFIG } from '../../lab/cluster.ts';
import { AGENT_CONTAINER, AGENT_SELECTOR } from '../../src/deploy/agents.ts';
import { PROFILE_LABEL } from '../../src/deploy/node-config.ts';
import { openCluster } from '../../src/system/kube/cluster.ts';
import { ciliumship } from '../support/cli.ts';
import { drift } from '../support/drift.ts';
import { kubectl, labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart, until } from '../support/parts.ts';
import { openTerminal, requireTmux, type Terminal } from '../support/tmux.ts';

const missing = await missingPart('the lab', requireLab);
const noTerminal = await missingPart('tmux', requireTmux);
const env = labEnvironment();
const BACKEND = 'quay.io/cilium/hubble-ui-backend:lab';

/** How both ended. One of them may have been told that the other one was there first. */
async function atOnce(...both: readonly (readonly string[])[]): Promise<readonly number[]> {
  const ended = await Promise.all(both.map((words) => ciliumship(words, { env })));
  for (const { code, stderr } of ended) expect([0, 11], stderr).toContain(code);
  return ended.map(({ code }) => code);
}

/** A field in the live configuration that no chart wrote; null takes it away. */
async function byHand(value: string | null): Promise<void> {
  const patch = JSON.stringify({ data: { 'by-hand': value } });
  const what = ['configmap', 'cilium-config', '--type', 'merge', '-p', patch];
  await kubectl('-n', 'kube-system', 'patch', ...what);
}

interface Watched {
  readonly terminal: Terminal;
  readonly shows: (what: RegExp) => Promise<unknown>;
}

/** A command with `--watch` in a terminal where `before` stands already. */
async function watchIn(columns: number, command: string): Promise<Watched> {
  const line = `trap : INT; echo before; ciliumship ${command} --watch --interval 1s; echo "exit $?"`;
  const terminal = await openTerminal(line, columns, env);
  const shows = (what: RegExp) =>
    until(String(what), 60, async () => what.test(await terminal.text()));
  return { terminal, shows };
}

describe.skipIf(missing !== undefined)('what changes while somebody looks', () => {
  beforeAll(async () => {
    const ended = await ciliumship(['ship'], { env });
    expect(ended.code, ended.stderr).toBe(0);
  });

  it('F30: loses nothing of two deploys at once, and of a push beside a prune', async () => {
    const deploys = await atOnce(['deploy'], ['deploy']);
    expect(deploys).toContain(0);
    expect((await drift()).open).toEqual([]);
    const { stdout: old } = await execa('docker', ['image', 'inspect', '-f', '{{.Id}}', BACKEND]);
    try {
      const build = ['build', '-q', '--label', 'at=once', '-t', BACKEND, '-'];
      await execa('docker', build, { input: `FROM ${BACKEND}\n` });
      const wait = ['--lock-wait', '120s'];
      const codes = await atOnce(['push', '--no-build', ...wait], ['images', 'prune', ...wait]);
      expect(codes).toEqual([0, 0]);
      expect((await drift()).open).toEqual([expect.stringContaining(`drift ${BACKEND} running`)]);
    } finally {
      await execa('docker', ['tag', old, BACKEND]);
      await ciliumship(['push', '--no-build'], { env });
    }
    expect((await drift()).open).toEqual([]);
  });

  it('D28: a container that prints without an end is read no further than 4 MiB', async () => {
    const { signal } = new AbortController();
    const cluster = openCluster({ files: [KUBECONFIG] }, undefined, PROFILE_LABEL, signal);
    const [agent] = await cluster.pods('kube-system', AGENT_SELECTOR);
    const flood = cluster.exec('kube-system', agent!, AGENT_CONTAINER, ['cat', '/dev/zero']);
    await expect(flood).rejects.toMatchObject({ kind: 'storage' });
  });

  it.skipIf(noTerminal !== undefined)(
    '--watch shows in a terminal what changes, and leaves it as it was on Ctrl-C',
    async () => {
      const { terminal, shows } = await watchIn(60, 'drift --only release');
      await shows(/no drift/);
      await byHand('1');
      try {
        await shows(/data\.by-hand/);
        await terminal.resize(20, 8);
        await shows(/… \d+ more lines/);
        await terminal.resize(110, 30);
        await shows(/WHAT +WHERE +STATE/);
      } finally {
        await byHand(null);
      }
      await shows(/no drift/);
      await terminal.press('C-c');
      await shows(/exit 130/);
      const text = await terminal.text();
      expect(text).toMatch(/^before\n/);
      expect(text).toContain('no drift');
      expect(text).not.toMatch(/by-hand|Ctrl-C/);
    },
  );

  it.skipIf(noTerminal !== undefined)(
    'status --watch shows a pod that takes the place of another',
    async () => {
      const { terminal, shows } = await watchIn(130, 'status');
      await terminal.resize(130, 40);
      await shows(/hubble-relay-\w+-\w+/);
      const [pod = ''] = /hubble-relay-\w+-\w+/.exec(await terminal.text()) ?? [];
      await kubectl('-n', 'kube-system', 'delete', 'pod', pod);
      await shows(new RegExp(`hubble-relay-(?!${pod.slice('hubble-relay-'.length)})\\w+-\\w+`));
      await until('the old one is gone', 60, async () => !(await terminal.text()).includes(pod));
      await terminal.press('C-c');
      await shows(/exit 130/);
      expect(await terminal.text()).toContain('hubble-relay-');
    },
  );
});
