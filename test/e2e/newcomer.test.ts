import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TREE } from '../../lab/files.ts';
import { TAG } from '../../lab/settings.ts';
import { ciliumship } from '../support/cli.ts';
import { labEnvironment, requireLab } from '../support/lab.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';
import { resetTree } from '../support/tree.ts';

const missing =
  onlyInAll('two minutes, and a ship to clean up') ?? (await missingPart('the lab', requireLab));
const ROOT = resolve(import.meta.dirname, '../..');
/** Seconds that the whole way may take on a machine with nothing else to do. */
const WAY = 120;

/** An environment in which nothing names a config. */
const { CILIUMSHIP_CONFIG: _, ...env } = labEnvironment();
const home = mkdtempSync(join(tmpdir(), 'ciliumship-newcomer-'));
let started = 0;

function installed(...args: readonly string[]) {
  const cli = join(home, 'node_modules/.bin/ciliumship');
  return execa(cli, args, { cwd: home, env, reject: false, stdin: 'ignore' });
}

/** How many share each processor: what else runs here is no time of ours. */
function others(): number {
  return Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
}

/** One story: each test goes on where the one before it ended. No file is edited by hand. */
describe.skipIf(missing !== undefined)('a new user', () => {
  beforeAll(resetTree);
  afterAll(async () => {
    // The lab's own config again, as other tests find it.
    const ended = await ciliumship(['ship'], { env: labEnvironment() });
    expect(ended.code, ended.stderr).toBe(0);
  });

  it('D27: installs the package into an empty folder without running any script', async () => {
    await execa('npm', ['run', '--silent', 'build'], { cwd: ROOT });
    started = performance.now();
    await execa('npm', ['pack', '--silent', '--pack-destination', home], { cwd: ROOT });
    const file = readdirSync(home).find((name) => name.endsWith('.tgz')) ?? '';
    writeFileSync(join(home, 'package.json'), '{ "private": true, "type": "module" }\n');
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--silent'];
    await execa('npm', ['install', ...quiet, join(home, file)], { cwd: home });
    const version = await installed('version', '-o', 'json');
    expect(version.exitCode, version.stderr).toBe(0);
    expect(version.stdout).toContain('"helm"');
    const inside = join(home, 'node_modules/ciliumship');
    for (const path of ['man/ciliumship.1', 'completions/_ciliumship', 'CHANGELOG.md']) {
      expect(existsSync(join(inside, path)), path).toBe(true);
    }
  });

  it('finds the functions that are documented for scripts', async () => {
    const script = `import { runCommand, ShipError, exitCode } from 'ciliumship';
const { exitCode: code, data } = await runCommand(['explain', 'E5']);
console.log(code, data[0].id, exitCode('network'), typeof ShipError);`;
    const { stdout } = await execa('node', ['--input-type=module', '-e', script], { cwd: home });
    expect(stdout).toBe('0 E5 5 function');
  });

  it('gets a config by init that passes preflight', async () => {
    const nodes = ['--node', 'master', '--node', 'worker'];
    const made = await installed('init', '--yes', ...nodes, '--source', TREE, '--tag', TAG);
    expect(made.exitCode, made.stderr).toBe(0);
    const config = readFileSync(join(home, 'ciliumship.yaml'), 'utf8');
    expect(config).toContain('$schema=node_modules/ciliumship/schema');
    expect(config).toContain('quay.io/cilium/cilium-envoy:lab');
    expect(config).toMatch(/dataInterface: eth1/);
    const looked = await installed('preflight');
    expect(looked.exitCode, looked.stderr).toBe(0);
  });

  it('overwrites nothing by a second init, and is told what to type', async () => {
    const again = await installed('init', '--yes', '--node', 'master', '--source', TREE);
    expect(again.exitCode).toBe(2);
    expect(again.stderr).toContain('init overwrites nothing');
    expect(again.stderr).toContain('next: see what it comes to: ciliumship config');
  });

  it('ships, all within two minutes', async () => {
    const shipped = await installed('ship');
    expect(shipped.exitCode, shipped.stderr).toBe(0);
    expect(shipped.stdout).toContain('what runs is what was built');
    const took = (performance.now() - started) / 1000;
    process.stderr.write(`a new user's way took ${took.toFixed(0)} s\n`);
    expect(took).toBeLessThan(WAY * others());
  });
});
