import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testFolder } from '../../support/folder.ts';
import { missingPart, until } from '../../support/parts.ts';
import { openTerminal, requireTmux } from '../../support/tmux.ts';

const missing = await missingPart('tmux', requireTmux);
const ROOT = resolve(import.meta.dirname, '../../..');
const DRAW = join(ROOT, 'test/support/draw-progress.ts');
const CLI = join(ROOT, 'src/cli.ts');

/** A stage that is being drawn in a terminal, and how far it is told to be. */
async function drawing(columns: number) {
  const pipe = join(testFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const line = `${process.execPath} ${DRAW} ${pipe}; echo "exit $?"`;
  const terminal = await openTerminal(line, columns, { LC_ALL: 'C' });
  const descriptor = openSync(pipe, 'w');
  const tell = (text: string | number): void => void writeSync(descriptor, `${text}\n`);
  const shows = (what: RegExp) =>
    until(String(what), 30, async () => what.test(await terminal.text()));
  // A pipe that somebody still has open never ends.
  const end = (): void => {
    tell('end');
    closeSync(descriptor);
  };
  return { terminal, tell, end, shows };
}

/** The longest bar that is seen. */
function fullest(text: string): number {
  return Math.max(0, ...text.split('\n').map((line) => line.split('█').length - 1));
}

describe.skipIf(missing !== undefined)('F58: in a real terminal', () => {
  it.each([20, 45, 100])('F58: progress never goes back, %i columns wide', async (columns) => {
    const { terminal, tell, end, shows } = await drawing(columns);
    let most = 0;
    for (const bytes of [10_000_000, 40_000_000, 5_000_000, 60_000_000, 0, 70_000_000]) {
      tell(bytes);
      const wanted = Math.max(most, Math.round((bytes / 100_000_000) * 16));
      const bar = Math.min(wanted, 11);
      await shows(new RegExp(`█{${bar}}`));
      const seen = fullest(await terminal.text());
      expect(seen).toBeGreaterThanOrEqual(Math.min(most, 11));
      most = Math.max(most, seen);
    }
    end();
    await shows(/exit 0/);
    const text = await terminal.text();
    expect(text.replaceAll('\n', '')).toContain('✔ Send');
    expect(text).toContain('all is drawn');
  });

  it('F58: it survives being made narrow, tiny and wide again', async () => {
    const { terminal, tell, end, shows } = await drawing(100);
    const sizes = [
      [30, 12],
      [10, 3],
      [120, 40],
    ] as const;
    for (const [at, [columns, rows]] of sizes.entries()) {
      tell((at + 1) * 10_000_000);
      await shows(/█/);
      await terminal.resize(columns, rows);
    }
    tell(90_000_000);
    await shows(/90 MB of 100 MB/);
    end();
    await shows(/exit 0/);
    const text = await terminal.text();
    expect(text.match(/✔ Send +master 100 MB · worker 100 MB/g)).toHaveLength(1);
    expect(text).toContain('all is drawn');
  });

  it('F58: one that goes away ends the run as a signal does', async () => {
    const folder = testFolder();
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const nodes = `nodes:\n  a: { ssh: '127.0.0.1:${port}', role: server }\n`;
    writeFileSync(join(folder, 'ciliumship.yaml'), `version: 1\nsource: .\n${nodes}`);
    const line = `cd ${folder}; exec ${process.execPath} ${CLI} preflight`;
    const terminal = await openTerminal(line, 80, { XDG_STATE_HOME: folder });
    await until('it connects', 30, async () => (await terminal.text()).includes('connect to a'));
    await terminal.close();
    const logs = join(folder, 'ciliumship/logs');
    const ended = await until('it has ended', 30, () => {
      const text = readFileSync(join(logs, readdirSync(logs)[0] ?? ''), 'utf8');
      return / end \{"exitCode":(\d+)/.exec(text)?.[1];
    });
    expect(ended).toBe('143');
  });
});
