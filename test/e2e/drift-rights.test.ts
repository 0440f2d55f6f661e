import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KUBECONFIG } from '../../lab/cluster.ts';
import { STATE } from '../../lab/settings.ts';
import { SSH_CONFIG } from '../../lab/ssh.ts';
import { ciliumship } from '../support/cli.ts';
import { kubectl, labEnvironment, nodeNamed, NODES, onNode, requireLab } from '../support/lab.ts';
import { missingPart } from '../support/parts.ts';

const missing = await missingPart('the lab', requireLab);
const folder = mkdtempSync(join(tmpdir(), 'ciliumship-e2e-'));
const LIMITED = join(folder, 'kubeconfig');
const ALLOWED = '/etc/ssh/sshd_config.d/drift.conf';
const SUDOERS = '/etc/sudoers.d/ciliumship-drift';

/** As the job of docs/drift-in-ci.md: its own user on the nodes, its own account in the cluster. */
const job = {
  ...labEnvironment(),
  KUBECONFIG: LIMITED,
  CILIUMSHIP_SSH_CONFIG: join(folder, 'ssh'),
};

async function rights(...words: readonly string[]): Promise<string> {
  const ended = await ciliumship(['drift', 'rights', ...words], { env: labEnvironment() });
  expect(ended.code, ended.stderr).toBe(0);
  return ended.stdout;
}

async function apply(text: string): Promise<void> {
  await execa(join(STATE, 'bin', 'kubectl'), ['apply', '-f', '-'], {
    env: { KUBECONFIG },
    input: text,
  });
}

/** A kubeconfig of the cluster with the token of the account, and nothing else of the admin's. */
async function writeKubeconfig(): Promise<void> {
  const token = await kubectl('-n', 'kube-system', 'create', 'token', 'ciliumship-drift');
  const { clusters } = JSON.parse(await kubectl('config', 'view', '--raw', '-o', 'json')) as {
    readonly clusters: readonly { readonly name: string }[];
  };
  const context = { cluster: clusters[0]?.name, user: 'drift' };
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', clusters, 'current-context': 'drift' },
    users: [{ name: 'drift', user: { token: token.trim() } }],
    contexts: [{ name: 'drift', context }],
  };
  writeFileSync(LIMITED, JSON.stringify(config), { mode: 0o600 });
}

/** Writes a file on a node as root. */
async function write(node: string, path: string, text: string): Promise<void> {
  const packed = Buffer.from(text).toString('base64');
  await onNode(nodeNamed(node), 'sh', '-c', `echo ${packed} | base64 -d > ${path}`);
}

async function addUser(node: string, sudoers: string): Promise<void> {
  const on = (...argv: readonly string[]) => onNode(nodeNamed(node), ...argv);
  await on('useradd', '--create-home', '--shell', '/bin/sh', '--password', '*', 'drift');
  // The key of the lab opens every account that its sshd lets in.
  await write(node, ALLOWED, 'AllowUsers drift\n');
  await on('systemctl', 'reload', 'ssh');
  await write(node, SUDOERS, sudoers);
  await on('chmod', '0440', SUDOERS);
  await on('visudo', '-cf', SUDOERS);
}

interface Cell {
  readonly place: string;
  readonly node?: string;
  readonly state: string;
}

/** What is not as locked, by place: `unknown node worker`. */
async function drift() {
  const ended = await ciliumship(['drift', '-o', 'json', '--only', 'nodes,running,release'], {
    env: job,
  });
  const { cells } = ended.json() as { readonly cells: readonly Cell[] };
  const open = cells.filter(({ state }) => state !== 'ok');
  const seen = open.map(({ state, place, node = '' }) => `${state} ${place} ${node}`.trim());
  return { code: ended.code, open: [...new Set(seen)], stderr: ended.stderr, all: cells.length };
}

describe.skipIf(missing !== undefined)('D25: drift with the least rights', () => {
  let sudoers = '';
  let roles = '';

  beforeAll(async () => {
    const shipped = await ciliumship(['ship'], { env: labEnvironment() });
    expect(shipped.code, shipped.stderr).toBe(0);
    const k3s = (await onNode(nodeNamed('worker'), 'sh', '-c', 'command -v k3s')).trim();
    sudoers = await rights('sudoers', '--user', 'drift', '--k3s', k3s);
    roles = await rights('kubernetes');
    for (const { name } of NODES) await addUser(name, `${sudoers}\n`);
    const ssh = readFileSync(SSH_CONFIG, 'utf8').replaceAll(/^( *User) .*$/gm, '$1 drift');
    writeFileSync(join(folder, 'ssh'), ssh);
    await apply(roles);
    await writeKubeconfig();
  });

  afterAll(async () => {
    if (missing !== undefined) return;
    for (const node of NODES) {
      const clean = `userdel --remove drift; rm -f ${SUDOERS} ${ALLOWED}; systemctl reload ssh`;
      await onNode(node, 'sh', '-c', clean);
    }
    await execa(join(STATE, 'bin', 'kubectl'), ['delete', '--ignore-not-found', '-f', '-'], {
      env: { KUBECONFIG },
      input: roles,
    });
  });

  it('D25: sees everything', async () => {
    const { code, open, all, stderr } = await drift();
    expect({ code, open }, stderr).toEqual({ code: 0, open: [] });
    expect(all).toBeGreaterThan(20);
  });

  it('D25: may do nothing else, and read no Secret', async () => {
    const may = (...argv: readonly string[]) =>
      execa('ssh', ['-F', join(folder, 'ssh'), 'worker', ...argv], { reject: false });
    expect((await may('sudo', '-n', 'k3s', 'ctr', 'version')).exitCode).toBe(0);
    expect((await may('sudo', '-n', 'k3s', 'ctr', 'images', 'rm', 'x')).exitCode).not.toBe(0);
    expect((await may('sudo', '-n', 'cat', '/etc/shadow')).exitCode).not.toBe(0);
    const asJob = (...argv: readonly string[]) =>
      execa(join(STATE, 'bin', 'kubectl'), ['--kubeconfig', LIMITED, 'auth', 'can-i', ...argv], {
        reject: false,
      });
    const listed = await asJob('list', 'pods', '-n', 'kube-system');
    expect(listed.stdout).toBe('yes');
    for (const words of ['get secrets', 'create pods', 'delete daemonsets', 'patch configmaps']) {
      const { stdout } = await asJob(...words.split(' '), '-n', 'kube-system');
      expect(stdout, words).toBe('no');
    }
  });

  it('D25: says unknown, and never ok, of a node where one command is not allowed', async () => {
    const less = sudoers.replace(/^.*crictl.*\n/m, '').replace(/, \\\n(?=Defaults)/, '\n');
    await write('worker', SUDOERS, `${less}\n`);
    try {
      const { code, open, stderr } = await drift();
      expect(open, stderr).toEqual(['unknown node worker']);
      expect(code).toBe(6);
      expect(stderr).toContain('ciliumship drift rights sudoers');
    } finally {
      await write('worker', SUDOERS, `${sudoers}\n`);
    }
  });

  it('D25: says unknown of what runs when it may not list pods', async () => {
    const withoutPods = (line: string): string => line.replace(/^( +- )pods$/m, '$1podtemplates');
    expect(withoutPods(roles)).not.toBe(roles);
    await apply(withoutPods(roles));
    try {
      const { code, open, stderr } = await drift();
      expect(open, stderr).toEqual(['unknown running']);
      expect(code).toBe(6);
    } finally {
      await apply(roles);
    }
  });
});
