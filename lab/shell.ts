import { execa } from 'execa';

/** Runs a program and returns what it printed, trimmed. Throws with its last lines when it fails. */
export async function sh(file: string, args: readonly string[], input?: string): Promise<string> {
  const result = await execa(file, args, {
    reject: false,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
  });
  if (result.exitCode === 0) return result.stdout.trim();
  const last = `${result.stderr}\n${result.stdout}`.trim().split('\n').slice(-8).join('\n');
  throw new Error(`${file} ${args.slice(0, 3).join(' ')} failed:\n${last || result.shortMessage}`);
}

/** True when the program ends with 0. */
export async function succeeds(file: string, args: readonly string[]): Promise<boolean> {
  const result = await execa(file, args, { reject: false, stdin: 'ignore' });
  return result.exitCode === 0;
}

/** Asks until `look` gives a value. Throws when `seconds` have passed without one. */
export async function until<T>(
  what: string,
  seconds: number,
  look: () => Promise<T | undefined | false>,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`${what} took more than ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
