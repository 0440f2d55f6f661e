import { readFileSync } from 'node:fs';
import { execa } from 'execa';

/** How a walk through a page ended: with what it printed, and at which line it stopped. */
export interface Walked {
  readonly code: number;
  readonly output: string;
}

/** Lines of the `sh` blocks of a page, in order. */
export function commandsOf(page: string): readonly string[] {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block.split('\n').filter((line) => line !== ''),
  );
}

/** Milliseconds: where it stands still is then seen in what it printed. */
const PATIENCE = 15 * 60_000;

/**
 * Types lines one after the other into one shell, as somebody who follows a page does. A line that
 * is to fail says with which exit code: `… # exit 3`, or `… # exit 0 or 3` where that is the machine's.
 */
export async function walk(
  lines: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Walked> {
  const shell = execa('bash', ['-s'], {
    input: lines.map(typed).join('\n'),
    cwd,
    env,
    reject: false,
    all: true,
    // With what it started, which would go on otherwise.
    detached: true,
  });
  const timer = setTimeout(() => process.kill(-(shell.pid ?? 0), 'SIGKILL'), PATIENCE);
  const { exitCode, all } = await shell;
  clearTimeout(timer);
  return { code: exitCode ?? -1, output: all };
}

function typed(line: string): string {
  const wanted = / # exit (\d+(?: or \d+)?)$/.exec(line)?.[1] ?? '0';
  const fits = wanted.split(' or ').map((code) => `[ "$code" = ${code} ]`);
  const quoted = `'${line.replaceAll("'", `'\\''`)}'`;
  // What a command reads must not be the lines that come after it.
  return `printf '$ %s\\n' ${quoted}
{ ${line.replace(/ *#.*$/, '')}
} </dev/null
code=$?; ${fits.join(' || ')} || { printf 'exit %s instead of ${wanted}: %s\\n' "$code" ${quoted}; exit 99; }`;
}
