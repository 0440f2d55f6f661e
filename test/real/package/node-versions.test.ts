import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { testFolder } from '../../support/folder.ts';
import { onlyInAll } from '../../support/parts.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
/** The oldest that is promised, the one that we work with, and the newest line. */
const VERSIONS = ['22.13.0', '24.21.0', '26.10.0'];
const QUIET = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--silent'];
const CONFIG = 'version: 1\nsource: .\nnodes:\n  a: { ssh: a, role: server }\n';
const SCRIPT = `import { runCommand, loadConfig, exitCode } from 'ciliumship';
const { data } = await runCommand(['explain', 'E5']);
console.log(data[0].id, (await loadConfig(process.argv[1])).nodes[0].name, exitCode('network'));`;

interface Audit {
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string }>>;
  readonly statusCode?: number;
  readonly error?: { readonly code?: string };
}

const isAll = onlyInAll('three versions of Node, 50 MB each') === undefined;

describe.skipIf(!isAll)('the package', () => {
  it.each(VERSIONS)('D27: runs under Node %s, installed without any script', async (version) => {
    const folder = testFolder();
    const npm = (...args: readonly string[]) => execa('npm', args, { cwd: folder });
    await execa('npm', ['run', '--silent', 'build'], { cwd: ROOT });
    await execa('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT });
    const file = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
    writeFileSync(join(folder, 'ciliumship.yaml'), CONFIG);
    const program = `node-linux-${process.arch}`;
    await npm('install', ...QUIET, `./${file}`, `${program}@${version}`);
    const node = join(folder, 'node_modules', program, 'bin/node');
    const cli = join(folder, 'node_modules/.bin/ciliumship');
    const run = (...args: readonly string[]) => execa(node, args, { cwd: folder });
    expect((await run('--version')).stdout).toBe(`v${version}`);
    expect((await run(cli, 'version', '-o', 'json')).stdout).toContain(`"${version}"`);
    expect((await run(cli, 'config')).stdout).toContain('role: server # ciliumship.yaml:4');
    expect((await run(cli, 'ship', '--help')).stdout).toContain('Examples:');
    const script = ['--input-type=module', '-e', SCRIPT, join(folder, 'ciliumship.yaml')];
    expect((await run(...script)).stdout).toBe('E5 a 5');
  });
});

it('D27: the oldest Node that it runs under is the one that its package names', () => {
  const text = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
  const [oldest = ''] = VERSIONS;
  const words = oldest.replace(/\.0$/, '');
  expect(text('package.json')).toContain(`"node": ">=${words}"`);
  expect(text('src/cli.ts')).toContain(`needs Node ${words} or newer`);
});

it.skipIf(!isAll)(
  'D27: no package that is installed with it has a known hole, as far as the registry says',
  async () => {
    const words = ['audit', '--omit=dev', '--json'];
    const { stdout } = await execa('npm', words, { cwd: ROOT, reject: false });
    const audit = JSON.parse(stdout || '{ "error": {} }') as Audit;
    if (audit.vulnerabilities === undefined) {
      process.stderr.write(`not audited: the registry has no answer (${audit.statusCode ?? ''})\n`);
    }
    expect(audit.vulnerabilities ?? audit.error).toBeDefined();
    const known = Object.entries(audit.vulnerabilities ?? {});
    expect(known.filter(([, { severity }]) => /^(high|critical)$/.test(severity))).toEqual([]);
  },
);
