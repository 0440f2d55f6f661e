import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterEach, describe, expect, it } from 'vitest';
import { stateFolder } from '../../src/system/folders.ts';
import { missingPart, onlyInAll } from '../support/parts.ts';
import { requireLab } from '../support/lab.ts';
import { commandsOf, walk } from '../support/walk.ts';

/** Follows README and tutorial word by word, each on a lab of its own that goes down at its end. */

const missing =
  onlyInAll('labs of its own, for eight minutes') ?? (await missingPart('the lab', requireLab));
const ROOT = resolve(import.meta.dirname, '../..');
const NAME = 'tutorial';
const STATE = join(stateFolder(), `lab-${NAME}`);
const env = { CILIUMSHIP_LAB: NAME, CILIUMSHIP_CONFIG: '', CILIUMSHIP_SSH_CONFIG: '' };

/** The line as it is typed on a lab that has a name, in a checkout that is installed. */
function here(line: string): string {
  return (
    line.replaceAll('~/.local/state/ciliumship/lab', STATE).replace(/^npm ci( && )?/, '') || ':'
  );
}

describe.skipIf(missing !== undefined)('somebody who follows', () => {
  afterEach(async () => {
    await execa('node', ['lab/cli.ts', 'down'], { cwd: ROOT, env, reject: false });
    rmSync(STATE, { recursive: true, force: true });
  });

  it('README ships with the demo, and then by hand', { timeout: 1_000_000 }, async () => {
    const lines = commandsOf(join(ROOT, 'README.md'));
    expect(lines.map((line) => line.replace(/ *#.*/, ''))).toEqual([
      'npm ci && npm run demo',
      'ciliumship ship --dry-run',
      'ciliumship ship',
    ]);
    // As the demo says at its end; README has a config of one's own then.
    const [demo = '', ...ships] = lines.map(here);
    const { code, output } = await walk([demo, `. ${STATE}/env`, ...ships], ROOT, env);
    expect(code, output).toBe(0);
    expect(output).toContain('what runs is what was built');
  });

  it('the tutorial gets to its end', { timeout: 1_000_000 }, async () => {
    const lines = commandsOf(join(ROOT, 'docs/tutorial.md'));
    expect(lines.length).toBeGreaterThan(25);
    const { code, output } = await walk(lines.map(here), ROOT, env);
    expect(code, output).toBe(0);
  });
});
