import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { CONFIG, TREE } from './files.ts';
import { KUBECONFIG } from './cluster.ts';
import { STATE } from './settings.ts';
import { SSH_CONFIG } from './ssh.ts';
import { upTasks } from './up.ts';

/**
 * `npm run demo`: brings the lab up, ships the sample tree, changes one line of its agent, ships
 * again, and says how to go on by hand.
 */

const BANNER = 'pkg/version/banner.go';
const LINE = /const Banner = "(.*)"/;

const environment = {
  CILIUMSHIP_CONFIG: CONFIG,
  CILIUMSHIP_SSH_CONFIG: SSH_CONFIG,
  KUBECONFIG,
  PATH: `${join(STATE, 'bin')}:${process.env['PATH']}`,
};

function say(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** Runs the command line as a user would. Ends the demo when it fails. */
async function ciliumship(...args: readonly string[]): Promise<void> {
  say('', `$ ciliumship ${args.join(' ')}`);
  const { exitCode } = await execa('ciliumship', args, {
    env: environment,
    stdio: 'inherit',
    reject: false,
  });
  if (exitCode !== 0) process.exit(exitCode ?? 1);
}

/** Changes what the agent says about itself, and shows the change. */
async function changeOneLine(): Promise<void> {
  const file = join(TREE, BANNER);
  const text = readFileSync(file, 'utf8');
  const count = Number(/ship (\d+)/.exec(text)?.[1] ?? 1) + 1;
  writeFileSync(file, text.replace(LINE, `const Banner = "changed for ship ${count}"`));
  say('', `$ git diff ${BANNER}`);
  await execa('git', ['-C', TREE, '--no-pager', 'diff', '--unified=0', '--', BANNER], {
    stdio: 'inherit',
  });
}

function howToGoOn(): void {
  say(
    '',
    'The lab stays up. Go on by hand:',
    `  . ${STATE}/env`,
    '  ciliumship status            what each node has, and what runs',
    '  ciliumship validate          every check, on every node',
    `  $EDITOR ${TREE}/daemon/main.go && ciliumship ship`,
    '  npm run lab -- ssh worker    a shell on a node',
    '  npm run lab -- down          take everything down; the tree stays, since the demo changed it',
  );
}

try {
  say('The lab: two nodes in containers with a real cluster (first time 10 minutes, later 20 s)');
  await upTasks().run();
  await ciliumship('ship');
  await changeOneLine();
  await ciliumship('ship');
  await ciliumship('status');
  howToGoOn();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
