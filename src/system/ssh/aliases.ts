import { globSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** ssh itself goes no deeper. */
const MAX_DEPTH = 16;

/**
 * Names of single hosts in an ssh configuration and what it includes, in their order: what a person
 * may mean by "my nodes". OpenSSH has no way to ask for them; what a name means, `ssh -G` says.
 *
 * @param file of the user; `~/.ssh/config` when not given
 */
export function sshAliases(file: string | undefined): readonly string[] {
  const own = join(homedir(), '.ssh', 'config');
  return [...new Set(namesIn(file ?? own, dirname(own), 0))];
}

function namesIn(file: string, home: string, depth: number): readonly string[] {
  if (depth > MAX_DEPTH) return [];
  return read(file)
    .split('\n')
    .map((line) => words(line))
    .flatMap(([keyword = '', ...values]) => {
      if (/^host$/i.test(keyword)) return values.filter(isName);
      if (!/^include$/i.test(keyword)) return [];
      return values
        .flatMap((pattern) => globSync(resolved(pattern, home)).toSorted())
        .flatMap((included) => namesIn(included, home, depth + 1));
    });
}

/** A file that is not there, or not ours to read, names nobody. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** `Host a "b c"` and `Host=a` are both ssh_config(5). */
function words(line: string): readonly string[] {
  const text = line.trim();
  if (text.startsWith('#')) return [];
  return (text.replace('=', ' ').match(/"[^"]*"|\S+/g) ?? []).map((word) =>
    word.replaceAll('"', ''),
  );
}

/** Neither a pattern nor its negation. */
function isName(word: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(word);
}

function resolved(pattern: string, home: string): string {
  if (pattern.startsWith('~/')) return join(homedir(), pattern.slice(2));
  return isAbsolute(pattern) ? pattern : join(home, pattern);
}
