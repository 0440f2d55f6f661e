import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const CONFIG = `version: 1
source: .
nodes:
  master: { ssh: master, role: server }
  worker: { ssh: worker, role: agent }
`;

/** A program of that name on PATH, and a config in the folder that the shell is in. */
function place(): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } {
  const cwd = mkdtempSync(join(tmpdir(), 'ciliumship-completion-'));
  const cli = join(import.meta.dirname, '../../src/cli.ts');
  writeFileSync(join(cwd, 'ciliumship.yaml'), CONFIG);
  writeFileSync(join(cwd, 'ciliumship'), `#!/bin/sh\nexec ${process.execPath} ${cli} "$@"\n`, {
    mode: 0o755,
  });
  return { cwd, env: { ...process.env, HOME: cwd, PATH: `${cwd}:${process.env['PATH']}` } };
}

/** What bash would offer for a line, through the very script that is in the package. */
function bash(line: string): readonly string[] {
  const script = `. ${join(import.meta.dirname, '../../completions/ciliumship.bash')}
COMP_LINE=$1 COMP_POINT=\${#1}; last=\${1##* }
_ciliumship ciliumship "$last"; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const printed = execFileSync('bash', ['-c', script, 'bash', line], {
    ...place(),
    encoding: 'utf8',
  });
  return printed.trim().split('\n');
}

describe('in a real bash', () => {
  it('offers commands, options and nodes', () => {
    expect(bash('ciliumship sh')).toEqual(['ship']);
    expect(bash('ciliumship push --no-b')).toEqual(['--no-build']);
    expect(bash('ciliumship push --nodes ')).toEqual(['master', 'worker']);
    expect(bash('ciliumship push --nodes master,')).toEqual(['master,worker']);
  });
});

const fish = '/usr/bin/fish';

describe.skipIf(!existsSync(fish))('in a real fish (skipped where it is not installed)', () => {
  it('offers commands with their meaning, and nodes', () => {
    const file = join(import.meta.dirname, '../../completions/ciliumship.fish');
    const offer = (line: string): string =>
      execFileSync(fish, ['-c', `source ${file}; complete -C '${line}'`], {
        ...place(),
        encoding: 'utf8',
      });
    expect(offer('ciliumship sh')).toContain('ship\tbuild, push, deploy');
    expect(offer('ciliumship push --nodes ')).toMatch(/^master$[^]*^worker$/m);
  });
});
