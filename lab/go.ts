import { execa } from 'execa';

/** The Go of this machine: the one thing besides Node that the lab asks for. */

const OLDEST = [1, 24] as const;
const NEXT = '  next: install Go 1.24 or newer (https://go.dev/dl) and put it on PATH';

/**
 * Version of the Go on PATH.
 *
 * @throws Error when there is none, or when it is too old
 */
export async function goVersion(): Promise<string> {
  const result = await execa('go', ['env', 'GOVERSION'], {
    reject: false,
    cwd: import.meta.dirname,
  });
  if (result.exitCode !== 0) throw new Error(`Go is not on PATH\n${NEXT}`);
  return newEnough(result.stdout.trim());
}

/** The version itself, `go1.24.4` or `devel go1.25-…`. Throws an error when it is too old. */
export function newEnough(version: string): string {
  const [major = 0, minor = 0] = (/go(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return version;
  throw new Error(`${version || 'this Go'} is too old for the lab\n${NEXT}`);
}
