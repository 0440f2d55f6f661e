import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { execa } from 'execa';
import { CONTAINERD_VERSIONS, DEFAULT_CONTAINERD } from './containerd.ts';
import { downTasks } from './down.ts';
import { dockerRuns, ensureDocker, stopDocker } from './docker.ts';
import { resetNode } from './cluster.ts';
import { makeFlannel } from './flannel.ts';
import { nodeNamed, STATE } from './settings.ts';
import { SSH_CONFIG } from './ssh.ts';
import { lookAtLab, problemsOf, statusText } from './status.ts';
import { upTasks, type UpOptions } from './up.ts';

/** The commands of the lab. */
export const program = new Command('lab')
  .description('A real two-node cluster in containers, for trying and testing ciliumship.')
  .enablePositionalOptions();

program
  .command('up')
  .description('bring the lab up; what is there already is left alone')
  .addOption(
    new Option('--containerd <version>', `of new nodes (default: ${DEFAULT_CONTAINERD})`)
      .choices(CONTAINERD_VERSIONS)
      .env('CILIUMSHIP_LAB_CONTAINERD'),
  )
  .option('--stock', 'sample tree and chart without the patch')
  .option('--no-stock', 'with it again')
  .option('--bare', 'machines without K3s, for ciliumship k3s install')
  .action(async (options: UpOptions) => {
    const started = performance.now();
    await upTasks(options).run();
    say(`the lab is up after ${seconds(started)} s · go on with:  . ${STATE}/env`);
  });

program
  .command('down')
  .description('take the lab down; what was built stays in the cache')
  .action(async () => {
    // Without Docker its containers may still lie on the disk.
    if (existsSync(SSH_CONFIG)) await ensureDocker();
    if (await dockerRuns()) await downTasks().run();
    say(`the lab is down (${await stopDocker()})`);
  });

program
  .command('status')
  .description('show nodes, ports and what Kubernetes says; exit 1 when something is wrong')
  .option('-q, --quiet', 'print nothing')
  .action(async (options: { quiet?: boolean }) => {
    const state = await lookAtLab();
    process.exitCode = problemsOf(state).length === 0 ? 0 : 1;
    if (options.quiet !== true) say(statusText(state));
  });

program
  .command('ssh <node> [command...]')
  .description('log in to a node, or run a command there')
  .passThroughOptions()
  .action(async (name: string, command: readonly string[]) => {
    const node = nodeNamed(name);
    if (!existsSync(SSH_CONFIG)) throw new Error('the lab is down\n  next: npm run lab -- up');
    const { exitCode } = await execa('ssh', ['-F', SSH_CONFIG, node.name, ...command], {
      stdio: 'inherit',
      reject: false,
    });
    process.exitCode = exitCode ?? 255;
  });

program
  .command('reset <node>')
  .description('give a node a new, empty disk and join it again')
  .action(async (name: string) => {
    const started = performance.now();
    await resetNode(nodeNamed(name));
    say(`${name} is new after ${seconds(started)} s`);
  });

program
  .command('flannel')
  .description('make flanneld, its image and a manifest, to switch a cluster to it')
  .action(async () => {
    await ensureDocker();
    say(`cni.flannel.manifest: ${await makeFlannel(() => undefined)}`);
  });

function seconds(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
