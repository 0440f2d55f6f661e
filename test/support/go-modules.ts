import { run } from './parts.ts';

/** `PATH VERSION` of every module, in the words of Go itself; what was replaced is left out. */
export async function asGoSays(program: string): Promise<readonly string[]> {
  const lines = (await run(['go', 'version', '-m', program]))
    .split('\n')
    .map((line) => line.trim());
  const modules = lines.flatMap((line, at) => {
    const [kind = '', path = '', version = '(devel)'] = line.split('\t');
    const isReplaced = lines[at + 1]?.startsWith('=>\t') === true;
    return /^(mod|dep|=>)$/.test(kind) && !isReplaced ? [`${path} ${version}`] : [];
  });
  const [, compiler = ''] = /: go(\S+)/.exec(lines[0] ?? '') ?? [];
  return [`stdlib ${compiler}`, ...modules];
}
