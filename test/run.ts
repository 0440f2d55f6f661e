import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { execa } from 'execa';

/**
 * `npm test`: the gate, the lab, every test, and one last line with the counts. The lab is taken
 * down again when it was not up before. `npm test -- --project unit` narrows the last part.
 */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const started = performance.now();
const REPORT = '.ciliumship/test-report.json';

async function run(title: string, command: readonly [string, ...string[]]): Promise<boolean> {
  const [file, ...args] = command;
  const begun = performance.now();
  say(`\n── ${title}: ${command.join(' ')}`);
  const { exitCode } = await execa(file, args, { stdio: 'inherit', reject: false });
  const ok = exitCode === 0;
  say(
    `── ${title}: ${ok ? 'ok' : 'FAILED'} after ${((performance.now() - begun) / 1000).toFixed(0)} s`,
  );
  return ok;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function labIsUp(): Promise<boolean> {
  const { exitCode } = await execa('node', ['lab/cli.ts', 'status', '--quiet'], { reject: false });
  return exitCode === 0;
}

/** Vitest with the lab around it when the chosen projects need one. */
async function runTests(args: readonly string[]): Promise<boolean> {
  const vitest = ['vitest', 'run', ...args, '--reporter=default', '--reporter=json'] as const;
  return run('tests', [...vitest, `--outputFile.json=${REPORT}`]);
}

async function runWithLab(args: readonly string[]): Promise<boolean> {
  const wasUp = await labIsUp();
  const up = wasUp || (await run('lab up', ['node', 'lab/cli.ts', 'up']));
  const ok = up && (await runTests(args));
  const down = wasUp || (await run('lab down', ['node', 'lab/cli.ts', 'down']));
  return ok && down;
}

function counts(): Report {
  const none = {
    numPassedTests: 0,
    numFailedTests: 1,
    numPendingTests: 0,
    numFailedTestSuites: 1,
    testResults: [],
  };
  try {
    return JSON.parse(readFileSync(REPORT, 'utf8')) as Report;
  } catch {
    return none;
  }
}

/** Names the tests that passed only when they were run once more, with what they said first. */
function tellUnsteady({ testResults }: Report): void {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const passed = tests.filter(({ status }) => status === 'passed');
  for (const { fullName, failureMessages } of passed) {
    const [first] = failureMessages;
    if (first !== undefined) say(`unsteady, passed at the second try: ${fullName}\n  ${first}`);
  }
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  mkdirSync('.ciliumship', { recursive: true });
  rmSync(REPORT, { force: true });
  const gate = await runGate();
  const tests = args.includes('unit') ? await runTests(args) : await runWithLab(args);
  const report = counts();
  const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = report;
  tellUnsteady(report);
  // A gate, a lab or a whole test file that failed without a failed test still is a failure.
  const failed = Math.max(numFailedTests, gate && tests ? 0 : 1, numFailedTestSuites > 0 ? 1 : 0);
  say(`\n${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
  say(`${numPassedTests} passed, ${failed} failed, ${numPendingTests} skipped`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** All of `npm run check` but the unit tests, which run with the others and are counted there. */
async function runGate(): Promise<boolean> {
  for (const part of ['format:check', 'lint', 'types', 'dead', 'docs:check', 'build']) {
    if (!(await run(part, ['npm', 'run', '--silent', part]))) return false;
  }
  return true;
}

await main();
