import { execa } from 'execa';

/**
 * Decides about a test file whose real part may be missing: undefined when it is there, otherwise
 * the reason for a skip. When CI is set a missing part is a failure, because nobody reads skips.
 *
 * @param look resolves when the part is there
 */
export async function missingPart(
  what: string,
  look: () => Promise<unknown>,
): Promise<string | undefined> {
  try {
    await look();
    return undefined;
  } catch (error) {
    const reason = `${what}: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env['CI']) throw new Error(`missing in CI: ${reason}`, { cause: error });
    process.stderr.write(`skipped, ${reason}\n`);
    return reason;
  }
}

/**
 * Undefined when CILIUMSHIP_TEST_ALL=1 asks for every test, otherwise the reason for a skip.
 *
 * @param why what makes this too much for every run
 */
export function onlyInAll(why: string): string | undefined {
  if (process.env['CILIUMSHIP_TEST_ALL'] === '1') return undefined;
  const reason = `runs with CILIUMSHIP_TEST_ALL=1 only: ${why}`;
  process.stderr.write(`skipped, ${reason}\n`);
  return reason;
}

/** Runs a program of this machine. Throws with what it printed when it fails. */
export async function run(
  argv: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const [file, ...args] = argv;
  const { stdout } = await execa(file, args, { env, stdin: 'ignore' });
  return stdout;
}

/** Asks until `look` gives a value. Throws when `seconds` have passed without one. */
export async function until<T>(
  what: string,
  seconds: number,
  look: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`${what}: not seen for ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
