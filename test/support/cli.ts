import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';

/** How the packed command line ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What it printed with `-o json`. */
  json(): unknown;
}

const ROOT = resolve(import.meta.dirname, '../..');

let packed: Promise<string> | undefined;

/**
 * The command line as a user gets it: packed by npm and unpacked elsewhere, so that a file that
 * `files` forgets is missed. Only the libraries are lent by the checkout.
 */
async function packedCli(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'ciliumship-packed-'));
  await execa('npm', ['run', '--silent', 'build'], { cwd: ROOT });
  const { stdout } = await execa('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: ROOT,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ readonly filename: string }];
  await execa('tar', ['-xzf', join(folder, filename), '-C', folder]);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'package', 'node_modules'));
  return join(folder, 'package', 'dist', 'cli.js');
}

interface Options {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Milliseconds after which it is killed. */
  readonly killAfter?: number;
  /** Kills it when this is aborted, by the signal that is the reason if that is one. */
  readonly killOn?: AbortSignal;
  /** Sent once, when standard error shows the text. */
  readonly signalAt?: { readonly text: string; readonly signal: NodeJS.Signals };
  /** Done once, when standard error shows the text; the command ends no earlier than this. */
  readonly actAt?: { readonly text: string; readonly act: () => Promise<unknown> };
}

/** Runs the packed command line to its end. */
export async function ciliumship(args: readonly string[], options: Options = {}): Promise<Ended> {
  const cli = await (packed ??= packedCli());
  const child = execa('node', [cli, ...args], {
    reject: false,
    stdin: 'ignore',
    cwd: options.cwd ?? tmpdir(),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  const { signalAt, actAt, killAfter, killOn } = options;
  const kill = (): boolean => child.kill(killOn?.reason === 'SIGINT' ? 'SIGINT' : 'SIGKILL');
  killOn?.addEventListener('abort', kill, { once: true });
  let acting: Promise<unknown> = Promise.resolve();
  if (killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter).unref();
  if (signalAt !== undefined) {
    let seen = '';
    child.stderr.on('data', (chunk: Buffer) => {
      const before = seen.includes(signalAt.text);
      seen += chunk.toString();
      if (!before && seen.includes(signalAt.text)) child.kill(signalAt.signal);
    });
  }
  if (actAt !== undefined) {
    let seen = '';
    child.stderr.on('data', (chunk: Buffer) => {
      const before = seen.includes(actAt.text);
      seen += chunk.toString();
      if (!before && seen.includes(actAt.text)) acting = actAt.act();
    });
  }
  const { exitCode, stdout, stderr } = await child;
  await acting;
  return { code: exitCode ?? -1, stdout, stderr, json: () => JSON.parse(stdout) as unknown };
}
